# SPDX-License-Identifier: Apache-2.0
"""The log of what this hub said: ``log``."""

import click

from hub.cli import preparing
from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.output import json_option, print_json
from hub.cli.progress import progress
from hub.cli.replacing import reopen
from hub.services.exchange.auditing import verify_log
from hub.wiring import assemble


@click.group()
def log() -> None:
    """What this hub said to others, and what proves it."""


log.add_command(reopen)


@log.command("verify")
@json_option
def verify(*, as_json: bool) -> None:
    """Verify this hub's own log: operations, entries, tiles and the checkpoint that is shown."""
    settings = read_settings()
    preparing.require_schema(settings)
    hub = assemble(settings)
    voice, known = hub.abroad.voice(), hub.abroad.known()
    if voice is None or known is None:
        raise CommandError(
            "This hub has said nothing to anybody: it has no name yet. Run breakwater partners "
            "invite.", Exit.FOUND,
        )  # fmt: skip
    with progress("entries", None, shown=not as_json) as told:
        audit = verify_log(hub, voice, known, told)
    if as_json:
        print_json(
            {
                "origin": audit.origin,
                "entries": audit.entries,
                "purged": audit.purged,
                "faults": list(audit.faults),
            }
        )
    else:
        for fault in audit.faults:
            click.echo(fault)
        click.echo(
            f"{audit.origin}: {audit.entries} entries, {audit.purged} of them purged, "
            f"{len(audit.faults)} faults."
        )
    if audit.faults:
        raise SystemExit(Exit.FOUND)
