# SPDX-License-Identifier: Apache-2.0
"""``python -m hub.demo``: tell the story on a hub of its own; the exit status says how it went."""

import tempfile
from pathlib import Path

import click
from rich.console import Console

from hub.demo.running import DemoError, RunningHub, free_port
from hub.demo.story import Story
from hub.demo.telling import Step, end, tell


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
    end(steps, console, as_json=as_json)


def _tell(folder: Path, console: Console) -> list[Step]:
    console.print("Starting a hub of its own…")
    with RunningHub(folder, free_port()) as hub:
        console.print(f"It answers on {hub.url}\n")
        return tell(Story(hub, folder).steps(), console)


if __name__ == "__main__":
    main()
