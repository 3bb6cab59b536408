# SPDX-License-Identifier: Apache-2.0
"""``python -m hub.demo.federation``: three hubs, three organisations, one lie.

The exit status says how it went. Whatever ends it, no process of it is left.
"""

import signal
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from hub.demo.between import Between
from hub.demo.paired import running_hubs
from hub.demo.running import DemoError
from hub.demo.telling import Step, end, tell
from matching.pictures import Hasher


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON, for programs.")
def main(*, as_json: bool) -> None:
    """Pair, match, corroborate, dispute, withdraw, be cut off, lie: between three real hubs."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        # As Ctrl-C does: what was begun is ended.
        signal.signal(sign, lambda number, _frame: sys.exit(128 + number))
    console = Console(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="breakwater-demo-") as name:
        try:
            steps = _tell(Path(name), console)
        except (DemoError, ModuleNotFoundError) as error:
            raise click.ClickException(str(error)) from error
    end(steps, console, as_json=as_json)


def _tell(folder: Path, console: Console) -> list[Step]:
    console.print("Starting three hubs…")
    began = time.monotonic()
    with running_hubs(folder) as hubs, Hasher() as hasher:
        for hub in hubs:
            console.print(f"{hub.name}, run by {hub.cast.operator}, on {hub.running.url}")
        console.print()
        told = tell(Between(hubs, folder, hasher, console.print).steps(), console)
    console.print(f"All of it took {time.monotonic() - began:.0f} s.")
    return told


if __name__ == "__main__":
    main()
