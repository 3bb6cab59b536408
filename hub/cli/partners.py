# SPDX-License-Identifier: Apache-2.0
"""Other hubs: ``partners``.

Pairing is done by two people who know each other: each gives the other one line, on a way that
nobody else can write to. Everything a hub says is checked against that line.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any

import click

from federation.errors import FederationError, RefusedError, TransportError
from federation.identity.pairing import Pairing
from federation.identity.values import HubFile
from hub.adapters import clock
from hub.adapters.abroad import allowance_of, ask, open_wire
from hub.adapters.identities import Identity, Introduction
from hub.adapters.rotations import introduce_anew
from hub.cli import preparing
from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.listing import show, show_one
from hub.cli.offices import office
from hub.cli.output import json_option, print_json
from hub.domain.members import TLP
from hub.domain.pace import DAY
from hub.domain.vocabulary import VOCABULARY
from hub.ports.exchange import ACTIVE, PAUSED, QUARANTINED
from hub.services.exchange import partners as services
from hub.services.exchange.holding import end_held
from hub.services.office import CONSOLE
from hub.settings import Settings
from hub.wiring import assemble

KINDS = tuple(VOCABULARY.lists["operator_kind"].terms)
LEVELS = {word: level for level, word in services.LEVELS.items()}
PARTNER = (
    "hub", "state", "asked", "level", "weight", "because", "sets", "behind", "alive_seconds_ago",
    "error",
)  # fmt: skip
EVIDENCE = ("alarm", "what", "at", "count")
SHARED = ("partner", "set", "shared")
US = ("hub", "base", "operators")

_us = [
    click.option("--as", "name", metavar="NAME", help="This hub's DNS-style name, for good."),
    click.option("--run-by", "operator", metavar="NAME", help="The operator that runs this hub."),
    click.option("--kind", type=click.Choice(KINDS), help="What that operator is."),
    click.option(
        "--speaks-for", "operators", multiple=True, metavar="NAME",
        help="A further operator that this hub speaks for. Say it again for more.",
    ),
]  # fmt: skip


def _introducing(command: Any) -> Any:
    for option in reversed(_us):
        command = option(command)
    return command


@click.group()
def partners() -> None:
    """Other hubs: invite, pair, list, share, pause, quarantine, evidence."""


@partners.command("invite")
@_introducing
@json_option
def invite(
    *, name: str | None, operator: str | None, kind: str | None, operators: Sequence[str],
    as_json: bool,
) -> None:  # fmt: skip
    """Print the line by which others pair with this hub; makes its keys the first time."""
    with office():
        line = _introduced(read_settings(), name, operator, kind, operators)
    _show_line(line, as_json=as_json)


@partners.command("pair")
@click.argument("line")
@click.option(
    "--vouches-for", "vouched", multiple=True, metavar="NAME",
    help="An operator that it may speak for; by default the one that runs it.",
)  # fmt: skip
@click.option(
    "--unreachable", is_flag=True,
    help="Nobody can reach it: it is not asked, and brings what it says in bundles. Say "
    "--vouches-for too.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(list(LEVELS)), default="counts", show_default=True,
    help="What its word weighs: kept only, shown for review, or counted.",
)  # fmt: skip
@_introducing
@json_option
def pair(
    *, line: str, vouched: Sequence[str], unreachable: bool, level: str, name: str | None,
    operator: str | None, kind: str | None, operators: Sequence[str], as_json: bool,
) -> None:  # fmt: skip
    """Enrol the hub that gave you LINE, and print the line that you give it in return."""
    settings = read_settings()
    try:
        pairing = Pairing.parse(line.strip())
    except RefusedError as error:
        raise CommandError(
            f"That is no pairing line: {error}. Put it in single quotes, for it has semicolons.",
            Exit.USAGE,
        ) from error
    if unreachable and not vouched:
        raise CommandError(
            f"Nobody can ask {pairing.hub} who runs it. Say --vouches-for NAME for each operator "
            "that it may speak for; its people know the names.", Exit.USAGE,
        )  # fmt: skip
    with office() as hub:
        own = _introduced(settings, name, operator, kind, operators)
        if own.hub == pairing.hub or own.root_sha256 == pairing.root_sha256:
            raise CommandError(
                "That is this hub's own line. Give it to the other hub's people, and enrol "
                "the line that they give you.", Exit.USAGE,
            )  # fmt: skip
        known = None if unreachable else _asked(pairing, settings)
        services.enrol(
            pairing,
            operators=vouched or ((known.operator.id,) if known is not None else ()),
            level=LEVELS[level],
            identity=known,
            is_asked=not unreachable,
            by=CONSOLE,
            hub=hub,
        )
    if not as_json:
        if unreachable:
            click.echo(
                f"{pairing.hub} is a partner, and is not asked. Who it is comes with its first "
                f"bundle, there: breakwater bundle post {own.hub}."
            )
        else:
            click.echo(f"{pairing.hub} is a partner. It is who the line says.")
        click.echo(f"Share a set with it: breakwater partners share {pairing.hub} SET_ID.")
        click.echo("Give it this line in return, if it has none yet:")
    _show_line(own, as_json=as_json)


@partners.command("introduce")
@click.option(
    "--speaks-for", "operators", multiple=True, metavar="NAME",
    help="An operator that this hub speaks for, beside the one that runs it. Say it again for "
    "more: it is the whole list. Without it the list stays.",
)  # fmt: skip
@json_option
def introduce(*, operators: Sequence[str], as_json: bool) -> None:
    """Tell partners anew where this hub is met (BREAKWATER_PUBLIC_URL), and for whom it speaks.

    Partners that know this hub at another address pair once more, with the line that ``partners
    invite`` prints now. Whom they let it speak for is theirs to say: ``partners vouch``.
    """
    settings = read_settings()
    identity = Identity(settings.data)
    try:
        introduce_anew(
            identity,
            public_url=settings.public_url,
            operators=operators or None,
            now=int(time.time()),
        )
    except FederationError as error:
        raise CommandError(f"Nothing was changed: {error}.", Exit.USAGE) from error
    known = identity.known()
    if known is not None:
        row = {"hub": known.hub, "base": known.base, "operators": list(known.operators)}
        show_one(US, row, as_json=as_json)


@partners.command("list")
@json_option
def list_partners(*, as_json: bool) -> None:
    """List all partners and how they are."""
    with office() as hub:
        found = services.listed(hub=hub)
    show(PARTNER, found, as_json=as_json)


@partners.command("share")
@click.argument("hub_name")
@click.argument("set_id")
@click.option("--name", help="What to call the set here, if it is theirs.")
@click.option("--tlp", type=click.Choice(TLP), help="Its TLP label, if it is theirs.")
@json_option
def share(*, hub_name: str, set_id: str, name: str | None, tlp: str | None, as_json: bool) -> None:
    """Share a set with a partner: one of yours, or one of theirs by the id they told you."""
    with office() as hub:
        done = services.share(hub_name, set_id, set_name=name, tlp=tlp, by=CONSOLE, hub=hub)
    show_one(SHARED, done.body, as_json=as_json)
    stay = done.body["accounts_that_stay"]
    if stay and not as_json:
        click.echo(f"Accounts do not cross hubs: {stay} in this set stay here.")


@partners.command("unshare")
@click.argument("hub_name")
@click.argument("set_id")
@json_option
def unshare(*, hub_name: str, set_id: str, as_json: bool) -> None:
    """Share a set with a partner no more."""
    with office() as hub:
        done = services.unshare(hub_name, set_id, by=CONSOLE, hub=hub)
    show_one(SHARED, done.body, as_json=as_json)


@partners.command("pause")
@click.argument("hub_name")
@json_option
def pause(*, hub_name: str, as_json: bool) -> None:
    """Neither follow nor answer a partner for now; what it said stays, for review."""
    _change(hub_name, as_json=as_json, state=PAUSED)


@partners.command("quarantine")
@click.argument("hub_name")
@json_option
def quarantine(*, hub_name: str, as_json: bool) -> None:
    """Take everything a partner said out of all answers at once; resume undoes it."""
    _change(hub_name, as_json=as_json, state=QUARANTINED)


@partners.command("resume")
@click.argument("hub_name")
@json_option
def resume(*, hub_name: str, as_json: bool) -> None:
    """Follow a partner again that was paused, suspended or quarantined."""
    _change(hub_name, as_json=as_json, state=ACTIVE, refused=0, error=None)


@partners.command("release")
@click.argument("hub_name")
@json_option
def release(*, hub_name: str, as_json: bool) -> None:
    """You have looked: take what a partner adds for a day, however much it is."""
    _change(hub_name, as_json=as_json, released_until=clock.now() + DAY)


@partners.command("confirm")
@click.argument("hub_name")
@json_option
def confirm(*, hub_name: str, as_json: bool) -> None:
    """You have looked: let go now what a partner took back faster than it may alone."""
    settings = read_settings()
    preparing.require_schema(settings)
    hub, done = assemble(settings), 0
    while some := end_held(hub, partner=hub_name):
        done += some
    show_one(("partner", "ended"), {"partner": hub_name, "ended": done}, as_json=as_json)


@partners.command("trust")
@click.argument("hub_name")
@click.argument("level", type=click.Choice(list(LEVELS)))
@json_option
def trust(*, hub_name: str, level: str, as_json: bool) -> None:
    """Let a partner's word be kept only, shown for review, or counted."""
    _change(hub_name, as_json=as_json, level=LEVELS[level])


@partners.command("vouch")
@click.argument("hub_name")
@click.argument("operators", nargs=-1, required=True)
@json_option
def vouch(*, hub_name: str, operators: Sequence[str], as_json: bool) -> None:
    """Let a partner speak for exactly these operators."""
    _change(hub_name, as_json=as_json, operators=sorted(set(operators)))


@partners.command("evidence")
@click.argument("hub_name")
@json_option
def evidence(*, hub_name: str, as_json: bool) -> None:
    """Show what is kept against a partner; with --json, the signed bytes that prove it too."""
    with office() as hub:
        found = services.evidence(hub_name, hub=hub)
    if as_json:
        print_json([{**one, "proof": [bytes(p).decode("utf-8", "replace") for p in one["proof"]]}
                    for one in found])  # fmt: skip
    else:
        show(EVIDENCE, found, as_json=False)


# -- steps ---------------------------------------------------------------------------------------


def _change(hub_name: str, *, as_json: bool, **values: Any) -> None:
    with office() as hub:
        done = services.change(hub_name, by=CONSOLE, hub=hub, **values)
    show_one(PARTNER, done.body, as_json=as_json)


def _introduced(
    settings: Settings,
    name: str | None,
    operator: str | None,
    kind: str | None,
    operators: Sequence[str],
) -> Pairing:
    """The line of this hub, whose keys are made now if there are none."""
    identity = Identity(settings.data)
    known = identity.known()
    if known is not None:
        # The same words once more are no mistake: a pairing that failed is typed again.
        us = (known.hub, known.operator.id, known.operator.kind)
        given = (name, operator, kind)
        is_other = any(one not in {None, it} for one, it in zip(given, us, strict=True))
        if is_other or set(operators) - set(known.operators):
            raise CommandError(
                f"This hub is {known.hub} already, run by {known.operator.id} "
                f"({known.operator.kind}), and has keys: leave out --as, --run-by and --kind. For "
                "whom it speaks, breakwater partners introduce changes.", Exit.USAGE,
            )  # fmt: skip
        return identity.pairing()
    if name is None or operator is None or kind is None:
        raise CommandError(
            "This hub has no name yet. Say --as hub.example.org --run-by example.org "
            "--kind platform: the name is for good.", Exit.USAGE,
        )  # fmt: skip
    said = Introduction(name, operator, kind, settings.public_url, tuple(operators))
    try:
        return identity.begin(said, secrets.token_bytes, int(time.time()))
    except FederationError as error:
        raise CommandError(
            f"This hub cannot be introduced so: {error}. BREAKWATER_PUBLIC_URL is "
            f"{settings.public_url}; others must reach it, over https.", Exit.USAGE,
        ) from error  # fmt: skip


def _asked(pairing: Pairing, settings: Settings) -> HubFile:
    try:
        wire = open_wire(pairing.base, allowance_of(settings.partner_networks))
        return ask(pairing, Identity(settings.data).folder, wire)
    except TransportError as error:
        raise CommandError(
            f"{pairing.hub} does not answer at {pairing.base}: {error}. Is it running, and may "
            "its address be asked (BREAKWATER_PARTNER_NETWORKS)?", Exit.UNAVAILABLE,
        ) from error  # fmt: skip
    except RefusedError as error:
        raise CommandError(
            f"{pairing.hub} is not what the line says, or may not be asked, and is not enrolled: "
            f"{error}. In a private network, or on one machine, BREAKWATER_PARTNER_NETWORKS says "
            "which addresses may be asked.", Exit.FOUND,
        ) from error  # fmt: skip


def _show_line(line: Pairing, *, as_json: bool) -> None:
    if as_json:
        print_json({"hub": line.hub, "line": str(line)})
    else:
        click.echo(str(line))
