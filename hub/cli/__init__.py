# SPDX-License-Identifier: Apache-2.0
"""What an operator types: ``breakwater …``. One file a topic, imported only when it is asked for.

The commands and their one-line helps stand here, so that ``breakwater up`` and ``--help`` start
without loading the web framework, the database or a compiler.
"""

import importlib
import keyword
import traceback
from collections.abc import Iterable
from typing import Any

import click

COMMANDS = {
    "up": ("hub.cli.run", "Start a whole hub in the foreground."),
    "serve": ("hub.cli.run", "Answer requests only; Redis and database are given."),
    "worker": ("hub.cli.run", "Run the background jobs only."),
    "status": ("hub.cli.run", "Ask the running hub how it is."),
    "doctor": ("hub.cli.run", "Check this machine and the hub's data."),
    "prepare": ("hub.cli.preparing", ""),
    "match": ("hub.cli.items", "Ask what is known of pictures and codes."),
    "contribute": ("hub.cli.items", "Contribute pictures, codes or an account."),
    "withdraw": ("hub.cli.items", "Withdraw an indicator of your operator."),
    "import": ("hub.cli.transfers", "Contribute the rows of a CSV or NDJSON file."),
    "export": ("hub.cli.transfers", "Write your contributions, or a set, to a file."),
    "operators": ("hub.cli.admin", "Organisations: list, add, suspend, resume."),
    "members": ("hub.cli.admin", "Services of operators: list, add, suspend, resume."),
    "keys": ("hub.cli.grants", "Keys of members, and of this hub: list, add, replace."),
    "sets": ("hub.cli.grants", "What is shared with whom: list, add, show, grant, home, hubs."),
    "exclusions": ("hub.cli.exclusions", "Pictures that must not be found: list, add, end."),
    "partners": ("hub.cli.partners", "Other hubs: invite, pair, list, share, pause, evidence."),
    "bundle": (
        "hub.cli.bundles",
        "What hubs say, in files, or brought to them: write, read, post.",
    ),
    "log": ("hub.cli.log", "What this hub said to others: verify it, reopen it."),
    "openapi": ("hub.cli.describing", "Write the OpenAPI document of this version."),
    "backup": ("hub.cli.keep", "Copy the database while the hub runs."),
    "restore": ("hub.cli.keep", "Put a backup in the place of the database."),
    "db": ("hub.cli.keep", "Look after the database's schema."),
    "index": ("hub.cli.index", "Compare the index with the database, write it anew, explain it."),
    "erase": ("hub.cli.index", "Erase an indicator's codes and values for good."),
    "renew": ("hub.cli.keep", ""),
}


class _LazyGroup(click.Group):
    """A group that imports a command's file when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name, (_, text) in COMMANDS.items() if text]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        # "import" is a command, but cannot be a function's name.
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: Iterable[tuple[str, str]] = [
            (name, COMMANDS[name][1]) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(list(rows))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="breakwater", message="%(version)s")
def _breakwater() -> None:
    """Breakwater: child-safety signal exchange between platforms.

    Settings come from the environment (BREAKWATER_DATA, BREAKWATER_LISTEN, REDIS_URL, …); each
    command tells its own by --help. The exit status is 0 when all went well, 1 when something was
    found or failed in part, 2 for a wrong call, and from 64 on what docs/operate/cli.md lists.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; ends the process with the status that tells how it went."""
    try:
        return _breakwater.main(arguments, prog_name="breakwater")
    except Exception:  # noqa: BLE001 - the last place; a fault must not look like a finding
        from hub.cli.exits import Exit  # noqa: PLC0415 - nothing else here needs it

        traceback.print_exc()
        raise SystemExit(Exit.INTERNAL) from None
