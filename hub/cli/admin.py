# SPDX-License-Identifier: Apache-2.0
"""Administer access at the console: ``operators``, ``members``, ``keys``, ``sets``.

Whoever may run these on the hub's machine is its administrator. They work on the database, over
the same services as the HTTP API, so they need no key; each change is in the history.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from hub.api.schemas import access as forms
from hub.cli.offices import checked, office
from hub.cli.output import json_option, print_json, print_table
from hub.domain.access import GRANTS, ROLES
from hub.domain.members import ONWARD, TLP
from hub.domain.vocabulary import VOCABULARY
from hub.services import access, keys as key_services, sets as set_services
from hub.services.access import CONSOLE

PAGE = 1000
KINDS = tuple(VOCABULARY.lists["operator_kind"].terms)

OPERATOR = ("id", "name", "kind", "state", "sandbox", "created_at")
MEMBER = ("id", "operator", "name", "state", "sandbox", "created_at")
KEY = ("id", "member", "name", "role", "created_at", "expires", "revoked_at")
SET = ("id", "name", "tlp", "onward", "state", "sandbox", "created_at")
GRANT = ("member", "rights", "changed_at")

sandbox_option = click.option("--sandbox", is_flag=True, help="For trying things out.")

Page = Callable[[str | None], dict[str, Any]]


# -- operators -----------------------------------------------------------------------------------


@click.group()
def operators() -> None:
    """Organisations: list, add, suspend, resume."""


@operators.command("list")
@json_option
def list_operators(*, as_json: bool) -> None:
    """List all operators."""
    with office() as hub:
        found = _all(lambda cursor: access.list_operators(cursor, PAGE, hub=hub))
    _show(OPERATOR, found, as_json=as_json)


@operators.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option(
    "--contact",
    "contacts",
    multiple=True,
    metavar="PURPOSE=EMAIL",
    help=f"Whom to reach; PURPOSE is one of {', '.join(forms.PURPOSES)}. Say it again for more.",
)
@sandbox_option
@json_option
def add_operator(
    *, name: str, kind: str, contacts: Sequence[str], sandbox: bool, as_json: bool
) -> None:
    """Admit the operator NAME, a DNS name that it controls."""
    pairs = [contact.partition("=") for contact in contacts]
    given = {
        "name": name,
        "kind": kind,
        "sandbox": sandbox,
        "contacts": [{"purpose": purpose, "email": email} for purpose, _, email in pairs],
    }
    with office() as hub:
        values = checked(forms.NewOperator(), given)
        made = access.add_operator(values, by=CONSOLE, hub=hub)
    _show_one(OPERATOR, made.body, as_json=as_json)


@operators.command("suspend")
@click.argument("operator_id")
@json_option
def suspend_operator(*, operator_id: str, as_json: bool) -> None:
    """Shut out an operator with all its members and keys."""
    _suspend_operator(operator_id, suspended=True, as_json=as_json)


@operators.command("resume")
@click.argument("operator_id")
@json_option
def resume_operator(*, operator_id: str, as_json: bool) -> None:
    """Let an operator in again."""
    _suspend_operator(operator_id, suspended=False, as_json=as_json)


def _suspend_operator(operator_id: str, *, suspended: bool, as_json: bool) -> None:
    with office() as hub:
        done = access.suspend_operator(operator_id, suspended=suspended, by=CONSOLE, hub=hub)
    _show_one(OPERATOR, done.body, as_json=as_json)


# -- members -------------------------------------------------------------------------------------


@click.group()
def members() -> None:
    """Services of operators: list, add, suspend, resume."""


@members.command("list")
@click.option("--operator", "operator_id", metavar="ID", help="Only this operator's.")
@json_option
def list_members(*, operator_id: str | None, as_json: bool) -> None:
    """List members."""
    with office() as hub:
        found = _all(
            lambda cursor: access.list_members(cursor, PAGE, operator_id=operator_id, hub=hub)
        )
    _show(MEMBER, found, as_json=as_json)


@members.command("add")
@click.argument("operator_id")
@click.argument("name")
@json_option
def add_member(*, operator_id: str, name: str, as_json: bool) -> None:
    """Add the service NAME of an operator."""
    with office() as hub:
        values = checked(forms.NewMember(), {"operator": operator_id, "name": name})
        made = access.add_member(values["operator"], values["name"], by=CONSOLE, hub=hub)
    _show_one(MEMBER, made.body, as_json=as_json)


@members.command("suspend")
@click.argument("member_id")
@json_option
def suspend_member(*, member_id: str, as_json: bool) -> None:
    """Shut out a member with all its keys."""
    _suspend_member(member_id, suspended=True, as_json=as_json)


@members.command("resume")
@click.argument("member_id")
@json_option
def resume_member(*, member_id: str, as_json: bool) -> None:
    """Let a member in again."""
    _suspend_member(member_id, suspended=False, as_json=as_json)


def _suspend_member(member_id: str, *, suspended: bool, as_json: bool) -> None:
    with office() as hub:
        done = access.suspend_member(member_id, suspended=suspended, by=CONSOLE, hub=hub)
    _show_one(MEMBER, done.body, as_json=as_json)


# -- keys ----------------------------------------------------------------------------------------


@click.group()
def keys() -> None:
    """Keys of members: list, add, rotate, revoke."""


@keys.command("list")
@click.argument("member_id")
@json_option
def list_keys(*, member_id: str, as_json: bool) -> None:
    """List a member's keys, the dead ones too."""
    with office() as hub:
        found = _all(
            lambda cursor: key_services.list_keys(
                cursor, PAGE, member_id=member_id, by=CONSOLE, hub=hub
            )
        )
    _show(KEY, found, as_json=as_json)


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
    _show_one(KEY, done.body, as_json=as_json)


# -- sets ----------------------------------------------------------------------------------------


@click.group()
def sets() -> None:
    """What is shared with whom: list, add, show, grant, ungrant."""


@sets.command("list")
@json_option
def list_sets(*, as_json: bool) -> None:
    """List all sets."""
    with office() as hub:
        found = _all(lambda cursor: set_services.list_sets(cursor, PAGE, by=CONSOLE, hub=hub))
    _show(SET, found, as_json=as_json)


@sets.command("add")
@click.argument("name")
@click.option("--tlp", type=click.Choice(TLP), required=True, help="TLP 2.0 label.")
@click.option("--onward", type=click.Choice(ONWARD), default="none", show_default=True)
@sandbox_option
@json_option
def add_set(*, name: str, tlp: str, onward: str, sandbox: bool, as_json: bool) -> None:
    """Make the set NAME; nobody is in it yet."""
    given = {"name": name, "tlp": tlp, "onward": onward, "sandbox": sandbox}
    with office() as hub:
        made = set_services.add_set(checked(forms.NewSet(), given), by=CONSOLE, hub=hub)
    _show_one(SET, made.body, as_json=as_json)


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
        _show(GRANT, found["grants"], as_json=False)


@sets.command("grant")
@click.argument("set_id")
@click.argument("member_id")
@click.argument("rights", nargs=-1, required=True, type=click.Choice(sorted(GRANTS)))
@json_option
def grant(*, set_id: str, member_id: str, rights: Sequence[str], as_json: bool) -> None:
    """Give a member exactly these rights in a set."""
    with office() as hub:
        done = set_services.grant(set_id, member_id, frozenset(rights), by=CONSOLE, hub=hub)
    _show_one(GRANT, done.body, as_json=as_json)


@sets.command("ungrant")
@click.argument("set_id")
@click.argument("member_id")
@json_option
def ungrant(*, set_id: str, member_id: str, as_json: bool) -> None:
    """Take a member's rights in a set away."""
    with office() as hub:
        done = set_services.end_grant(set_id, member_id, by=CONSOLE, hub=hub)
    _show_one(("set", "member", "rights"), done.body, as_json=as_json)


# -- what is shown -------------------------------------------------------------------------------


def _all(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        told = page(cursor)
        found += told["items"]
        cursor = told["next_cursor"]
        if cursor is None:
            return found


def _show(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(columns, [[_cell(row[column]) for column in columns] for row in rows])


def _show_one(columns: Sequence[str], row: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
    else:
        _show(columns, [row], as_json=False)


def _show_secret(made: Mapping[str, Any], *, as_json: bool) -> None:
    _show_one(KEY, made, as_json=as_json)
    if not as_json:
        click.echo("The key, shown this once:")
        click.echo(made["secret"])


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
