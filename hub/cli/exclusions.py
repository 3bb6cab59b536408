# SPDX-License-Identifier: Apache-2.0
"""Pictures that must not be found: ``exclusions``.

An exclusion is one operator's disagreement with every entry that is near a harmless picture. It
hides nothing, here as at partners: it is a voice.
"""

from collections.abc import Sequence
from datetime import datetime

import click

from hub.adapters import clock
from hub.cli.listing import show, show_one
from hub.cli.offices import office
from hub.cli.output import json_option
from hub.cli.questions import UnclearCodeError, parse_code
from hub.cli.wording import MOMENT, one_of
from hub.domain.indicators import DEFAULT_LIFE, LONGEST_LIFE, Code
from hub.services import exclusions as services
from hub.services.office import CONSOLE
from matching.signals import PDQ

EXCLUSION = ("id", "operator", "signal", "radius", "reason", "sets", "expires")
ENDED = ("id", "ended")


@click.group()
def exclusions() -> None:
    """Pictures that must not be found: list, add, end."""


@exclusions.command("list")
@json_option
def list_exclusions(*, as_json: bool) -> None:
    """List what members of this hub exclude now."""
    with office() as hub:
        found = services.list_exclusions(hub=hub)
    show(EXCLUSION, found, as_json=as_json)


@exclusions.command("add")
@click.argument("member_id")
@click.argument("sets", nargs=-1, required=True, metavar="SET_ID...")
@click.option(
    "--code", required=True, metavar="SIGNAL:HEX", help="Of the harmless picture; a plain one."
)
@click.option(
    "--radius", type=click.IntRange(0, PDQ.near), default=PDQ.near, show_default=True,
    help="Bits up to which a pdq is meant too.",
)  # fmt: skip
@click.option("--reason", type=one_of("dispute_reason"), default="benign", show_default=True)
@click.option("--expires", type=MOMENT, help="By default in a year; in two at most.")
@json_option
def add_exclusion(
    *, member_id: str, sets: Sequence[str], code: str, radius: int, reason: str,
    expires: datetime | None, as_json: bool,
) -> None:  # fmt: skip
    """Say for the operator of a member that a picture must not be found in some sets."""
    now = clock.now()
    until = now + DEFAULT_LIFE if expires is None else expires
    if not now < until <= now + LONGEST_LIFE:
        raise click.UsageError("--expires must be to come, and within two years.")
    try:
        parsed = parse_code(code)
    except UnclearCodeError as error:
        raise click.UsageError(str(error)) from None
    values = {
        "member": member_id,
        "sets": sets,
        "code": Code(parsed.signal, bytes.fromhex(parsed.code)),
        "radius": radius,
        "reason": reason,
        "expires": until,
    }
    with office() as hub:
        made = services.add_exclusion(values, by=CONSOLE, hub=hub)
    show_one(EXCLUSION, made.body, as_json=as_json)


@exclusions.command("end")
@click.argument("exclusion_id")
@json_option
def end_exclusion(*, exclusion_id: str, as_json: bool) -> None:
    """Say an exclusion no more."""
    with office() as hub:
        done = services.end_exclusion(exclusion_id, by=CONSOLE, hub=hub)
    show_one(ENDED, done.body, as_json=as_json)
