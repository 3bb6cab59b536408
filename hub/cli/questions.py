# SPDX-License-Identifier: Apache-2.0
"""What ``match`` asks about: files and codes as they were named, and what came of each."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hub.cli.exits import Exit
from hub.cli.progress import Advance
from hub.client import Answer, Client, Code, Item, Matches
from hub.client.answers import merged
from matching.errors import MalformedHashError
from matching.pictures import RefusedPictureError
from matching.signals import SIGNALS

SIGNAL_NAMES = tuple(name for name in SIGNALS if name not in {"account", "vpdq"})
_BLOCK = 200  # items: of 40 codes each they fit into one request
_AT_ONCE = 8  # files hashed between two steps of the bar
_PREFIXED = re.compile(rf"({'|'.join(SIGNAL_NAMES)}):(.*)", re.DOTALL)
_BARE = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
_BY_LENGTH = {16: "phash", 32: "md5", 40: "sha1"}
_AMBIGUOUS = 64  # of pdq and sha256


class UnclearCodeError(ValueError):
    """A text that should be a code is none; the sentence says what to do, and not the text."""


@dataclass(frozen=True)
class Asked:
    """One thing to ask about: a file, a code, or something that is neither."""

    name: str
    path: Path | None = None
    code: Code | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Told:
    """What came of one thing: an answer of the hub, or why there is none."""

    name: str
    answer: Answer | None = None
    refusal: str | None = None

    @property
    def flaw(self) -> str | None:
        """What was wrong with it, here or at the hub."""
        error = self.answer.error if self.answer else None
        return error.detail if error else self.refusal

    def body(self) -> dict[str, Any]:
        """Give it for JSON; what says nothing is left out."""
        if self.answer is None:
            return {"name": self.name, "answer": "refused", "refusal": self.refusal}
        answer = {name: one for name, one in asdict(self.answer).items() if name != "ref"}
        answer["hits"] = [_said(hit) for hit in answer["hits"]]
        return {"name": self.name, **_said(answer)}


@dataclass(frozen=True)
class Findings:
    """All that was told, and how complete it is; None where nothing could be asked."""

    told: Sequence[Told]
    matches: Matches | None

    @property
    def status(self) -> Exit:
        """How the command ends: with the gravest thing there is to say."""
        answers = [one.answer for one in self.told if one.answer is not None]
        if any(answer.is_hit for answer in answers):
            return Exit.FOUND
        if not all(answer.complete for answer in answers):
            return Exit.BUSY
        # What was not searched is not known to be unknown.
        return (
            Exit.OK if all(a and a.is_clear for a in (t.answer for t in self.told)) else Exit.DATA
        )


def parse_code(text: str) -> Code:
    """Read ``signal:hex``.

    Raises:
        UnclearCodeError: It is none.
    """
    found = _PREFIXED.fullmatch(text)
    if found is None:
        raise UnclearCodeError(
            f"A code is SIGNAL:HEX; SIGNAL is one of {', '.join(SIGNAL_NAMES)}."
        )
    return _checked(found[1], found[2])


def asked(arguments: Sequence[str], stdin: BinaryIO) -> Iterator[Asked]:
    """Tell files from codes; ``-`` stands for the lines of standard input."""
    for argument in arguments:
        if argument != "-":
            yield _asked(argument)
            continue
        for line in stdin:
            name = os.fsdecode(line.rstrip(b"\r\n"))
            if name:
                yield _asked(name)


def find(things: Sequence[Asked], client: Client, *, explain: bool, advance: Advance) -> Findings:
    """Hash the files here, ask about everything, block by block."""
    told: list[Told] = []
    parts: list[Matches] = []
    for start in range(0, len(things), _BLOCK):
        block = things[start : start + _BLOCK]
        items = _items(block, client, advance)
        wanted = [item for item in items if isinstance(item, Item)]
        if wanted:
            parts.append(client.match_items(wanted, explain=explain))
        answers = iter(parts[-1].answers if wanted else ())
        told += [
            Told(one.name, next(answers))
            if isinstance(item, Item)
            else Told(one.name, refusal=item)
            for one, item in zip(block, items, strict=True)
        ]
    return Findings(told, merged(parts) if parts else None)


def readable(name: str) -> str:
    """Make a name fit to be shown: whatever a file is called, it moves no cursor."""
    text = os.fsencode(name).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _asked(text: str) -> Asked:
    name = readable(text)
    try:
        if _PREFIXED.fullmatch(text):
            return Asked(_shortened(text), code=parse_code(text))
        # A file that is called after its digest is a file.
        if _BARE.fullmatch(text) and not Path(text).exists() and _is_a_length(len(text)):
            return Asked(_shortened(text), code=_bare(text))
    except UnclearCodeError as error:
        return Asked(_shortened(text), refusal=str(error))
    return Asked(name, path=Path(text))


def _is_a_length(digits: int) -> bool:
    return digits in _BY_LENGTH or digits == _AMBIGUOUS


def _bare(text: str) -> Code:
    if len(text) == _AMBIGUOUS:
        raise UnclearCodeError(
            "64 hex digits are a pdq or a sha256: write pdq: or sha256: before them."
        )
    return _checked(_BY_LENGTH[len(text)], text)


def _checked(signal: str, text: str) -> Code:
    try:
        SIGNALS[signal].parse(text)
    except MalformedHashError as error:
        raise UnclearCodeError(str(error)) from None
    return Code(signal, text)


def _shortened(text: str) -> str:
    """Enough of a code to tell it from others: whole ones do not belong on a screen."""
    signal, separator, digits = text.rpartition(":")
    return readable(f"{signal}{separator}{digits[:8]}…")


def _items(block: Sequence[Asked], client: Client, advance: Advance) -> list[Item | str]:
    """Make the question of each, or the sentence why there is none."""
    paths = [one.path for one in block if one.path is not None]
    hashed: list[Item | str] = []
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        for one in client.hasher.hash_files(some):
            if isinstance(one, RefusedPictureError):
                hashed.append(str(one))
            else:
                hashed.append(Item.of(one))
        advance(len(some))
    files = iter(hashed)
    return [next(files) if one.path is not None else _item(one) for one in block]


def _item(one: Asked) -> Item | str:
    return Item((one.code,)) if one.code is not None else str(one.refusal)


def _said(told: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in told.items() if one is not None and one not in ((), [])}
