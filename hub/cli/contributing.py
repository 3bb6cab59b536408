# SPDX-License-Identifier: Apache-2.0
"""From what was named on the command line to contributions, and what became of each."""

import re
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import orjson

from hub.cli.delivering import deliver, parts
from hub.cli.progress import Advance
from hub.cli.questions import UnclearCodeError, parse_code, readable
from hub.client import Account, Client, Contribution, Flaw, Row, Words
from matching.pictures import RefusedPictureError
from matching.signals import PDQ

_AT_ONCE = 8  # files hashed between two steps of the bar
_ACCOUNT = re.compile(r"(phone|email|(?:handle|uid):[^:]+):(.+)", re.DOTALL)

Named = tuple[str, Contribution | str]
"""A name to tell it by, and a contribution or the sentence why it is none."""


@dataclass(frozen=True)
class Given:
    """What is to be contributed: files, or the codes of one picture, or an account."""

    files: Sequence[Path]
    codes: Sequence[str]
    quality: int | None
    account: str | None = field(repr=False)
    subject: str | None
    region: str | None
    external_id: str | None
    digests_only: bool

    def check(self) -> None:
        """Refuse a call that does not say one thing.

        Raises:
            click.UsageError: It says nothing, or several.
        """
        if sum((bool(self.files), bool(self.codes), self.account is not None)) != 1:
            raise click.UsageError("Give files, or --code, or --account.")
        if self.external_id is not None and len(self.files) > 1:
            raise click.UsageError("--external-id names one thing; give one file.")
        if (self.account is None) != (self.subject is None):
            raise click.UsageError("An account needs a --subject, and nothing else has one.")


@dataclass(frozen=True)
class Result:
    """What became of one thing."""

    name: str
    id: str | None = None
    n: int | None = None
    position: int | None = None
    refusal: str | None = None

    def body(self) -> dict[str, Any]:
        """Give it for JSON; what says nothing is left out."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def cells(self) -> tuple[object, ...]:
        """Give it for a table."""
        return self.name, "refused" if self.refusal else "kept", self.id, self.n


def contributions(given: Given, words: Words, client: Client, advance: Advance) -> list[Named]:
    """Make the contributions; a file that is refused stands as the sentence why."""
    if given.codes:
        return [("codes", _of_codes(given, words))]
    if given.account is not None:
        return [("account", _of_account(given, words))]
    named: list[Named] = []
    for start in range(0, len(given.files), _AT_ONCE):
        some = given.files[start : start + _AT_ONCE]
        for path, hashed in zip(some, client.hasher.hash_files(some), strict=True):
            made = (
                str(hashed)
                if isinstance(hashed, RefusedPictureError)
                else Contribution.of_file(
                    hashed,
                    words,
                    external_id=given.external_id,
                    digests_only=given.digests_only,
                )
            )
            named.append((readable(str(path)), made))
        advance(len(some))
    return named


def contribute_all(named: Sequence[Named], client: Client) -> list[Result]:
    """Send what can be sent; tell of everything, in its order."""
    bodies = [orjson.dumps(one.body()) for _, one in named if isinstance(one, Contribution)]
    once = uuid.uuid4().hex
    rows: list[Row] = []
    for start, some in parts(bodies):
        rows += deliver(client, some, f"{once}-{start}")
    told = iter(rows)
    return [
        _result(name, next(told)) if isinstance(one, Contribution) else Result(name, refusal=one)
        for name, one in named
    ]


def sentence(flaw: Flaw) -> str:
    """Tell what is wrong with a row."""
    return f"{flaw.field}: {flaw.detail}" if flaw.field else flaw.detail


def _of_codes(given: Given, words: Words) -> Contribution:
    try:
        codes = [parse_code(text) for text in given.codes]
    except UnclearCodeError as error:
        raise click.UsageError(str(error)) from None
    if given.quality is not None:
        codes = [
            replace(one, quality=given.quality) if one.signal == PDQ.name else one for one in codes
        ]
    return Contribution.of_codes(tuple(codes), words, external_id=given.external_id)


def _of_account(given: Given, words: Words) -> Contribution:
    text = str(given.account)
    if text == "-":
        text = sys.stdin.readline().strip()
    found = _ACCOUNT.fullmatch(text)
    if found is None:
        raise click.UsageError(
            "An account is phone:VALUE, email:VALUE, handle:PLATFORM:VALUE or uid:PLATFORM:VALUE."
        )
    account = Account(found[1], found[2], given.region)
    return Contribution.of_account(
        account, str(given.subject), words, external_id=given.external_id
    )


def _result(name: str, row: Row) -> Result:
    refusal = sentence(row.error) if row.error else None
    return Result(name, row.id, row.n, row.position, refusal)
