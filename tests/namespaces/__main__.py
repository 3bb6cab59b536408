# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.namespaces``: cut real hubs off from each other in twelve ways.

Needs root, ``ip``, ``tc`` and ``nft``. Whatever ends it, nothing of it is left; what is left of a
run that was killed, the next one takes away.
"""

import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from hub.demo.running import DemoError
from tests.namespaces.checks import settled
from tests.namespaces.running import PLANTED, Played, play
from tests.namespaces.scenarios import SCENARIOS
from tests.namespaces.spaces import NoNamespacesError, look
from tests.namespaces.town import town

HEAD = (
    "| scenario | what goes wrong | held | seconds | equal after | said | taken back |"
    " codes looked up meanwhile | packets refused |\n|---|---|---|---|---|---|---|---|---|"
)


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="Of all; again.")
@click.option("--planted", default="", type=click.Choice(["", *PLANTED]), help="Done wrong.")
@click.option("--patience", default=300.0, show_default=True, help="Seconds to wait for anything.")
@click.option("--times", default=1, show_default=True, help="How often each is played.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@click.option("--out", type=click.Path(path_type=Path), help="A file for the table.")
def main(
    only: Sequence[str],
    planted: str,
    patience: float,
    times: int,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Play the scenarios; end with 1 if something does not hold that must."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        # As Ctrl-C does: what was begun is ended.
        signal.signal(sign, lambda number, _frame: sys.exit(128 + number))
    try:
        look()
        found = _played(only or list(SCENARIOS), planted, patience, times)
    except (DemoError, NoNamespacesError) as error:
        raise click.ClickException(str(error)) from error
    table = "\n".join([HEAD, *map(_row, found)]) + "\n"
    if out is not None:
        out.write_text(table, encoding="utf-8")
    ok = all(not one.flaw for one in found)
    if as_json:
        click.echo(json.dumps({"ok": ok, "scenarios": [one.as_json() for one in found]}))
    else:
        click.echo(table)
    raise SystemExit(not ok)


def _played(names: Sequence[str], planted: str, patience: float, times: int) -> list[Played]:
    found = []
    # A further hub joins in the last: it is there from then on.
    ordered = [name for name in SCENARIOS if name in names]
    with tempfile.TemporaryDirectory(prefix="breakwater-namespaces-") as folder:
        for lap in range(times):
            place = Path(folder) / str(lap)
            place.mkdir()
            with town(place, patience=patience, planted=planted) as hubs:
                settled(hubs)
                for name in ordered:
                    one = play(hubs, name)
                    found.append(one)
                    click.echo(f"{name}: {one.flaw or 'held'} ({one.seconds} s)", err=True)
                    if one.flaw:
                        hubs.open()
    return found


def _row(one: Played) -> str:
    what = " ".join((SCENARIOS[one.name].__doc__ or "").split("\n\n")[0].split())
    held = f"**no**: {one.flaw}" if one.flaw else "yes"
    cells = (one.name, what, held, one.seconds, one.to_equal, one.said, one.taken_back)
    return f"| {' | '.join(map(str, (*cells, one.asked, one.refused)))} |"


if __name__ == "__main__":
    main()
