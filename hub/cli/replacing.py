# SPDX-License-Identifier: Apache-2.0
"""Replace what this hub's word is signed with: ``keys replace``, ``log reopen``."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from federation.errors import FederationError
from hub.adapters.identities import Identity
from hub.adapters.rotations import change_req_key
from hub.cli import preparing
from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.listing import show_one
from hub.cli.output import json_option
from hub.domain.errors import BadInputError, NotFoundError
from hub.ports import Hub
from hub.services.exchange import renewing
from hub.wiring import assemble


@click.group("replace")
def replace() -> None:
    """Replace the keys by which this hub speaks to others; partners hear of it by themselves."""


@replace.command("operations")
@click.option(
    "--stolen-at",
    type=click.IntRange(min=0),
    metavar="INDEX",
    help="The old key was stolen: nothing it signed from this entry of the log on is believed.",
)
@json_option
def replace_operations(*, stolen_at: int | None, as_json: bool) -> None:
    """Sign what members say with a new key from now on.

    With --stolen-at everything that holds is said anew, and beats what the thief said. Entries are
    counted from 0; breakwater log verify tells how many there are.
    """
    with _hub() as hub:
        try:
            made = renewing.change_operation_key(hub, stolen_at=stolen_at)
        except BadInputError as error:
            raise CommandError(str(error.flaws[0].detail), Exit.USAGE) from error
    show_one(("key",), {"key": made}, as_json=as_json)


@replace.command("requests")
@json_option
def replace_requests(*, as_json: bool) -> None:
    """Sign requests to partners, and answers, with a new key; the old one is worth nothing now."""
    with _hub():
        made = change_req_key(_identity(), randomness=secrets.token_bytes, now=int(time.time()))
    show_one(("key",), {"key": made}, as_json=as_json)


@replace.command("identity")
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def replace_identity(*, folders: Sequence[Path], as_json: bool) -> None:
    """Replace the keys by which this hub says who it is, all but the root's.

    The root signs that: with the key that is here, or with those in FOLDERS, as many as it asks
    for.
    """
    with _hub():
        version = _identity().replace_online(folders, secrets.token_bytes, int(time.time()))
    show_one(("root",), {"root": version}, as_json=as_json)


@click.command("reopen")
@click.confirmation_option(
    prompt="Close this hub's log for good, and say everything that holds anew in another?"
)
@json_option
def reopen(*, as_json: bool) -> None:
    """Close this hub's log and begin another, with new keys: its key was stolen, or lost.

    Partners follow the new one from its start; what is in the old one and holds is said anew.
    """
    with _hub() as hub:
        name = renewing.begin_log(hub)
    show_one(("log",), {"log": name}, as_json=as_json)


@contextmanager
def _hub() -> Iterator[Hub]:
    settings = read_settings()
    preparing.require_schema(settings)
    try:
        yield assemble(settings)
    except FederationError as error:
        raise CommandError(f"Nothing was changed: {error}.", Exit.DENIED) from error
    except NotFoundError as error:
        raise CommandError(
            "This hub has no name yet. Run breakwater partners invite.", Exit.FOUND
        ) from error


def _identity() -> Identity:
    return Identity(read_settings().data)
