# SPDX-License-Identifier: Apache-2.0
"""Administer at the console who there is: ``operators``, ``members``.

Whoever may run these on the hub's machine is its administrator. They work on the database, over
the same services as the HTTP API, so they need no key; each change is in the history.
"""

from collections.abc import Sequence

import click

from hub.api.schemas import access as forms
from hub.cli.listing import PAGE, everything, show, show_one
from hub.cli.offices import checked, office
from hub.cli.output import json_option
from hub.domain.vocabulary import VOCABULARY
from hub.services import access
from hub.services.office import CONSOLE

KINDS = tuple(VOCABULARY.lists["operator_kind"].terms)

OPERATOR = ("id", "name", "kind", "state", "sandbox", "created_at")
MEMBER = ("id", "operator", "name", "state", "sandbox", "created_at")


# -- operators -----------------------------------------------------------------------------------


@click.group()
def operators() -> None:
    """Organisations: list, add, suspend, resume."""


@operators.command("list")
@json_option
def list_operators(*, as_json: bool) -> None:
    """List all operators."""
    with office() as hub:
        found = everything(lambda cursor: access.list_operators(cursor, PAGE, hub=hub))
    show(OPERATOR, found, as_json=as_json)


@operators.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option(
    "--contact",
    "contacts",
    multiple=True,
    required=True,
    metavar="PURPOSE=EMAIL",
    help=f"Whom to reach; PURPOSE is one of {', '.join(forms.PURPOSES)}. Say it again for more.",
)
@click.option("--sandbox", is_flag=True, help="For trying things out.")
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
    show_one(OPERATOR, made.body, as_json=as_json)


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
    show_one(OPERATOR, done.body, as_json=as_json)


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
        found = everything(
            lambda cursor: access.list_members(cursor, PAGE, operator_id=operator_id, hub=hub)
        )
    show(MEMBER, found, as_json=as_json)


@members.command("add")
@click.argument("operator_id")
@click.argument("name")
@json_option
def add_member(*, operator_id: str, name: str, as_json: bool) -> None:
    """Add the service NAME of an operator."""
    with office() as hub:
        values = checked(forms.NewMember(), {"operator": operator_id, "name": name})
        made = access.add_member(values["operator"], values["name"], by=CONSOLE, hub=hub)
    show_one(MEMBER, made.body, as_json=as_json)


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
    show_one(MEMBER, done.body, as_json=as_json)
