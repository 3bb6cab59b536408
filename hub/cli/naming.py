# SPDX-License-Identifier: Apache-2.0
"""Sets between hubs: ``sets hubs``, ``home``, ``onward``, ``name`` and ``unname``."""

import click

from federation.errors import RefusedError
from federation.identity.pairing import SCHEME, Pairing
from hub.cli.exits import CommandError, Exit
from hub.cli.listing import show, show_one
from hub.cli.offices import office
from hub.cli.output import json_option, print_json
from hub.services.exchange import naming as services
from hub.services.office import CONSOLE

HUB = ("hub", "root", "partner", "agrees")
HOME = ("id", "name", "onward", "home")
NAMED = ("set", "hub", "named")
HERE = "here"
"""Instead of a hub's name, which has two labels at least."""


@click.command("hubs")
@click.argument("set_id")
@json_option
def hubs(*, set_id: str, as_json: bool) -> None:
    """Show whose a set is, and which hubs share it by that hub's manifest."""
    with office() as hub:
        found = services.hubs_of(set_id, hub=hub)
    if as_json:
        print_json(found)
        return
    click.echo(f"The set is {found['home'] or 'ours'}; onward: {found['onward']}.")
    show(HUB, found["hubs"], as_json=False)


@click.command("home")
@click.argument("set_id")
@click.argument("hub_name", metavar="HUB")
@json_option
def home(*, set_id: str, hub_name: str, as_json: bool) -> None:
    """Say whose a set is: HUB is a partner, or the line of a hub that is none, or "here"."""
    name, root = _named(hub_name)
    with office() as hub:
        done = services.set_home(set_id, None if name == HERE else name, root, by=CONSOLE, hub=hub)
    show_one(HOME, done.body, as_json=as_json)


@click.command("onward")
@click.argument("set_id")
@click.argument("onward", type=click.Choice(("none", "set")))
@json_option
def open_onward(*, set_id: str, onward: str, as_json: bool) -> None:
    """Let the hubs of a set of yours pass on to each other what was said in it, or not."""
    with office() as hub:
        done = services.open_onward(set_id, onward, by=CONSOLE, hub=hub)
    show_one(HOME, done.body, as_json=as_json)


@click.command("name")
@click.argument("set_id")
@click.argument("hub_name", metavar="HUB")
@json_option
def name_hub(*, set_id: str, hub_name: str, as_json: bool) -> None:
    """Name a hub in the manifest of a set of yours: a partner, or any hub by its line."""
    _name(set_id, hub_name, named=True, as_json=as_json)


@click.command("unname")
@click.argument("set_id")
@click.argument("hub_name", metavar="HUB")
@json_option
def unname_hub(*, set_id: str, hub_name: str, as_json: bool) -> None:
    """Take a hub out of the manifest of a set of yours: nothing of it is passed on any more."""
    _name(set_id, hub_name, named=False, as_json=as_json)


def _name(set_id: str, hub_name: str, *, named: bool, as_json: bool) -> None:
    name, root = _named(hub_name)
    with office() as hub:
        done = services.name_hub(set_id, name, root, named=named, by=CONSOLE, hub=hub)
    show_one(NAMED, done.body, as_json=as_json)


def _named(said: str) -> tuple[str, str | None]:
    """A hub's name, with its root where a line tells it."""
    if not said.startswith(SCHEME):
        return said, None
    try:
        line = Pairing.parse(said.strip())
    except RefusedError as error:
        raise CommandError(f"That is no pairing line: {error}.", Exit.USAGE) from error
    return line.hub, line.root_sha256


COMMANDS = (hubs, home, open_onward, name_hub, unname_hub)
