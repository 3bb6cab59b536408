# SPDX-License-Identifier: Apache-2.0
"""Administer at the console what they may do: ``keys``, ``sets``; as in ``admin``."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from federation.errors import FederationError
from hub.adapters.identities import Identity
from hub.api.schemas import access as forms
from hub.cli import naming
from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.listing import PAGE, everything, show, show_one
from hub.cli.offices import checked, office
from hub.cli.output import json_option, print_json
from hub.cli.replacing import replace
from hub.domain.access import GRANTS, ROLES
from hub.domain.members import ONWARD, TLP
from hub.services import keys as key_services, sets as set_services
from hub.services.office import CONSOLE

KEY = ("id", "member", "name", "role", "created_at", "expires", "revoked_at")
SET = ("id", "name", "tlp", "onward", "state", "sandbox", "created_at")
GRANT = ("member", "rights", "changed_at")


# -- keys ----------------------------------------------------------------------------------------


@click.group()
def keys() -> None:
    """Keys: of members list, add, rotate, revoke; of this hub replace."""


@keys.command("list")
@click.argument("member_id")
@json_option
def list_keys(*, member_id: str, as_json: bool) -> None:
    """List a member's keys, the dead ones too."""
    with office() as hub:
        found = everything(
            lambda cursor: key_services.list_keys(
                cursor, PAGE, member_id=member_id, by=CONSOLE, hub=hub
            )
        )
    show(KEY, found, as_json=as_json)


@keys.command("add")
@click.argument("member_id")
@click.option("--role", type=click.Choice(tuple(ROLES)), required=True)
@click.option("--name", default="key", show_default=True, help="To tell it from others.")
@click.option("--expires", help="When it dies, RFC 3339; at most, and by default, in 365 days.")
@json_option
def add_key(*, member_id: str, role: str, name: str, expires: str | None, as_json: bool) -> None:
    """Make a key for a member. It is shown this once."""
    given = {"member": member_id, "role": role, "name": name}
    with office() as hub:
        values = checked(forms.NewKey(), {**given, "expires": expires} if expires else given)
        made = key_services.add_key(values.pop("member"), values, by=CONSOLE, hub=hub)
    _show_secret(made.body, as_json=as_json)


@keys.command("rotate")
@click.argument("key_id")
@json_option
def rotate_key(*, key_id: str, as_json: bool) -> None:
    """Make the successor of a key; the old one lives on until it is revoked."""
    with office() as hub:
        made = key_services.rotate_key(key_id, by=CONSOLE, hub=hub)
    _show_secret(made.body, as_json=as_json)


@keys.command("revoke")
@click.argument("key_id")
@json_option
def revoke_key(*, key_id: str, as_json: bool) -> None:
    """End a key: within a second nobody accepts it."""
    with office() as hub:
        done = key_services.revoke_key(key_id, by=CONSOLE, hub=hub)
    show_one(KEY, done.body, as_json=as_json)


@keys.command("ceremony")
@click.argument("first", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("third", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def hold_ceremony(*, first: Path, second: Path, third: Path, as_json: bool) -> None:
    """Give this hub's root to three people: a key in each of three folders, of which two count.

    For hubs that are partners of others. The root key in the data folder is deleted.
    """
    identity = Identity(read_settings().data)
    with _keys_at_hand():
        version = identity.share_root(
            (first, second, third), secrets.token_bytes, int(time.time())
        )
    _show_root(version, as_json=as_json)


@keys.command("renew-root")
@click.argument(
    "folders", nargs=-1, required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@json_option
def renew_root(*, folders: Sequence[Path], as_json: bool) -> None:
    """Sign this hub's root for another year, with the root keys in FOLDERS."""
    identity = Identity(read_settings().data)
    with _keys_at_hand():
        version = identity.renew_root(folders, int(time.time()))
    _show_root(version, as_json=as_json)


keys.add_command(replace)


@contextmanager
def _keys_at_hand() -> Iterator[None]:
    try:
        yield
    except FederationError as error:
        raise CommandError(f"Nothing was changed: {error}.", Exit.DENIED) from error
    except (FileExistsError, ValueError) as error:
        raise CommandError(
            f"Nothing was changed: {error}. Name three empty folders.", Exit.USAGE
        ) from error


def _show_root(version: int, *, as_json: bool) -> None:
    show_one(("root",), {"root": version}, as_json=as_json)
    if not as_json:
        click.echo(
            "Let each of the people take their folder away; two of them renew it in a year."
        )


# -- sets ----------------------------------------------------------------------------------------


@click.group()
def sets() -> None:
    """What is shared with whom: list, add, show, grant, ungrant; with other hubs: home, hubs."""


for _one in naming.COMMANDS:
    sets.add_command(_one)


@sets.command("list")
@json_option
def list_sets(*, as_json: bool) -> None:
    """List all sets."""
    with office() as hub:
        found = everything(
            lambda cursor: set_services.list_sets(cursor, PAGE, by=CONSOLE, hub=hub)
        )
    show(SET, found, as_json=as_json)


@sets.command("add")
@click.argument("name")
@click.option("--tlp", type=click.Choice(TLP), required=True, help="TLP 2.0 label.")
@click.option("--onward", type=click.Choice(ONWARD), default="none", show_default=True)
@click.option("--sandbox", is_flag=True, help="For trying things out.")
@json_option
def add_set(*, name: str, tlp: str, onward: str, sandbox: bool, as_json: bool) -> None:
    """Make the set NAME; nobody is in it yet."""
    given = {"name": name, "tlp": tlp, "onward": onward, "sandbox": sandbox}
    with office() as hub:
        made = set_services.add_set(checked(forms.NewSet(), given), by=CONSOLE, hub=hub)
    show_one(SET, made.body, as_json=as_json)


@sets.command("show")
@click.argument("set_id")
@json_option
def show_set(*, set_id: str, as_json: bool) -> None:
    """Show who may do what in a set."""
    with office() as hub:
        found = set_services.show_set(set_id, by=CONSOLE, hub=hub)
    if as_json:
        print_json(found)
    else:
        show(GRANT, found["grants"], as_json=False)


@sets.command("grant")
@click.argument("set_id")
@click.argument("member_id")
@click.argument("rights", nargs=-1, required=True, type=click.Choice(sorted(GRANTS)))
@json_option
def grant(*, set_id: str, member_id: str, rights: Sequence[str], as_json: bool) -> None:
    """Give a member exactly these rights in a set."""
    with office() as hub:
        done = set_services.grant(set_id, member_id, frozenset(rights), by=CONSOLE, hub=hub)
    show_one(GRANT, done.body, as_json=as_json)


@sets.command("ungrant")
@click.argument("set_id")
@click.argument("member_id")
@json_option
def ungrant(*, set_id: str, member_id: str, as_json: bool) -> None:
    """Take a member's rights in a set away."""
    with office() as hub:
        done = set_services.end_grant(set_id, member_id, by=CONSOLE, hub=hub)
    show_one(("set", "member", "rights"), done.body, as_json=as_json)


def _show_secret(made: Mapping[str, Any], *, as_json: bool) -> None:
    show_one(KEY, made, as_json=as_json)
    if not as_json:
        click.echo("The key, shown this once:")
        click.echo(made["secret"])
