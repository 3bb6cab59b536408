# SPDX-License-Identifier: Apache-2.0
"""``python -m hub.demo``: tell the story on a hub of its own; the exit status says how it went."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hub.demo.running import DemoError, RunningHub, free_port
from hub.demo.story import Row, Step, Story


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON, for programs.")
def main(*, as_json: bool) -> None:
    """Contribute, match, corroborate, withdraw, survive: the main job on real photographs."""
    console = Console(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="breakwater-demo-") as name:
        folder = Path(name)
        try:
            steps = _tell(folder, console)
        except (DemoError, ModuleNotFoundError) as error:
            raise click.ClickException(str(error)) from error
    ok = all(step.ok for step in steps)
    if as_json:
        measures = [
            {"name": step.name, "value": step.told, "unit": "", "reach": "as told", "ok": step.ok}
            for step in steps
        ]
        click.echo(json.dumps({"ok": ok, "measures": measures}))
    else:
        console.print("\nAll as expected." if ok else "\n[red]Not as expected.[/red]")
    sys.exit(0 if ok else 1)


def _tell(folder: Path, console: Console) -> list[Step]:
    console.print("Starting a hub of its own…")
    with RunningHub(folder, free_port()) as hub:
        console.print(f"It answers on {hub.url}\n")
        told = []
        for step in Story(hub, folder).steps():
            with console.status((step.__doc__ or "").splitlines()[0]):
                done = step()
            told.append(done)
            _show(done, (step.__doc__ or "").splitlines()[0], console)
        return told


def _show(step: Step, about: str, console: Console) -> None:
    mark = "[green]as expected[/green]" if step.ok else "[red]not as expected[/red]"
    console.print(f"[bold]{step.name}[/bold]: {about}")
    if step.rows:
        console.print(_table(step.rows))
    console.print(f"  {step.told} ({mark})\n")


def _table(rows: Sequence[Row]) -> Table:
    table = Table("picture", "alteration", "band", "found", "expected", "", pad_edge=False)
    for row in rows:
        table.add_row(
            row.picture,
            row.alteration,
            row.band,
            "found" if row.found else "not found",
            {"found": "found", "perhaps": "not promised", "nothing": "nothing"}[row.expected],
            "ok" if row.ok else "[red]wrong[/red]",
        )
    return table


if __name__ == "__main__":
    main()
