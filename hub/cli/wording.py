# SPDX-License-Identifier: Apache-2.0
"""The options that say what is known of a contribution, in the words of the vocabulary."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import wraps
from typing import Any

import click

from hub.client import Words
from hub.domain.vocabulary import VOCABULARY

MOST_PEOPLE = 3
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MANY = ("sets", "harm", "countries", "class_refs", "refs")
_TOLD = tuple(one.name for one in fields(Words))


class _Moment(click.ParamType[datetime]):
    """A day, which begins at midnight UTC, or a moment with its zone."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(moment_of(value))
        except ValueError:
            self.fail("Write a day, 2027-01-31, or a moment, 2027-01-31T12:00:00Z.", param, ctx)
        if moment.tzinfo is None:
            self.fail("Say in which zone: 2027-01-31T12:00:00Z.", param, ctx)
        return moment


MOMENT = _Moment()
"""Takes a day or a moment."""


def moment_of(text: str) -> str:
    """Make a moment of a day; whatever else it is stays as it is."""
    return f"{text}T00:00:00Z" if DAY.fullmatch(text) else text


def one_of(name: str) -> click.Choice[str]:
    """Take a word of a list of the vocabulary."""
    return click.Choice(list(VOCABULARY.lists[name].terms))


def says_words(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of words, and pass them to it as one ``words``."""

    @wraps(command)
    def wrapped(**given: Any) -> None:
        said = {name: given.pop(name) for name in _TOLD}
        said |= {name: tuple(said[name]) for name in _MANY}
        command(words=Words(**said), **given)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _many(*names: str, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(*names, multiple=True, **options)


_OPTIONS: Sequence[Callable[[Callable[..., None]], Callable[..., None]]] = (
    _many("--set", "sets", required=True, metavar="ID", help="To share into; say it for each."),
    _many("--harm", required=True, type=one_of("harm"), help="One to three."),
    click.option("--use", required=True, type=one_of("use")),
    click.option("--depicts", required=True, type=one_of("depicts")),
    click.option("--basis", required=True, type=one_of("basis")),
    click.option(
        "--assessed-by",
        type=click.IntRange(0, MOST_PEOPLE),
        help="How many people looked; 3 for more.",
    ),
    click.option("--priority", type=one_of("priority")),
    click.option("--confidence", type=one_of("confidence")),
    click.option("--content-class", type=one_of("content_class")),
    click.option("--synthetic", type=click.Choice(["yes", "no", "unknown"])),
    _many("--country", "countries", metavar="XX", help="Where it is illegal, by ISO code."),
    _many("--class-ref", "class_refs", metavar="SCHEME:CODE", help="As the assessor gave it."),
    _many("--ref", "refs", metavar="REF", help="A reference of yours."),
    click.option("--case", metavar="REF", help="Your case; an account needs one."),
    click.option("--list", "list_name", metavar="NAME", help="Which list, for expert-list."),
    click.option("--observed-at", type=MOMENT),
    click.option("--expires", type=MOMENT, help="By default in a year; two at most."),
)
