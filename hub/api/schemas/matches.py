# SPDX-License-Identifier: Apache-2.0
"""What is matched: JSON or the packed body, turned into one batch of arrays.

A code is never a text again after this page. An item that is wrong is answered ``error`` and harms
no other; only a body without the right shape is refused whole.
"""

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from marshmallow import fields
from marshmallow.validate import Length
from numpy.typing import NDArray

from hub.api.schemas.base import Flag, StrictSchema, Text, Whole, Word
from hub.domain.errors import BadInputError, Flaw, flaw
from hub.domain.guards import (
    HEAVIEST_PDQ,
    LEAST_QUALITY,
    LIGHTEST_PDQ,
    LONGEST_VIDEO_MS,
    MOST_CODES,
    MOST_FRAMES,
    MOST_OF_A_SIGNAL,
    PICTURE,
    VIDEO,
)
from hub.services.matches import Query
from matching.batches import Batch, Part, parse_codes, words_of
from matching.derivations import derivation_id
from matching.errors import MalformedHashError, UnknownDerivationError
from matching.signals import ORDER, PDQ, SIGNALS, VPDQ, Signal, signal_at

MOST = 10_000
"""Codes a request, and items a request."""
PACKED = "application/vnd.breakwater.codes"
MAGIC = b"BWC1"
_SECTION = struct.Struct(">BI")
_LONGEST_REF = 128
_ASKABLE = {n: signal for n, signal in SIGNALS.items() if n not in {"account", "vpdq"}}


class CodeQuerySchema(StrictSchema):
    """One code of an item."""

    signal = Word(_ASKABLE, required=True)
    code = fields.String(required=True, metadata={"description": "Lower-case hex."})
    derived = fields.String(metadata={"description": "How it was derived; plain without."})
    quality = Whole(0, 100)
    at_ms = Whole(
        0,
        LONGEST_VIDEO_MS,
        metadata={"description": "When the frame of a video is shown; its code is a pdq."},
    )


class ItemQuerySchema(StrictSchema):
    """A thing seen, with all codes of it; a video has up to 5,000 frames."""

    kind = Word((PICTURE, VIDEO), metadata={"description": "A picture without."})
    ref = Text(_LONGEST_REF, metadata={"description": "Your own name of it, sent back."})
    codes = fields.List(
        fields.Nested(CodeQuerySchema), required=True, validate=Length(1, MOST_CODES + MOST_FRAMES)
    )


class MatchQuerySchema(StrictSchema):
    """Items, or codes by signal of which each is an item of its own."""

    items = fields.List(fields.Nested(ItemQuerySchema), validate=Length(1, MOST))
    codes = fields.Dict(
        keys=Word(_ASKABLE), values=fields.List(fields.String(), validate=Length(1, MOST))
    )


class HitSchema(StrictSchema):
    """One entry that was hit. A band, never a distance."""

    id = fields.String()
    set = fields.String()
    standing = Word(("corroborated", "review", "disputed"), required=True)
    band = Word(("exact", "near", "edge", "derived"), required=True)
    signal = fields.String(required=True)
    harm = fields.List(fields.String())
    use = fields.String()
    depicts = fields.String()
    priority = fields.String()
    operators = fields.Integer()
    receipt = fields.String()
    support = fields.List(fields.String())
    weak = Flag()
    unverified = Flag()


class ItemErrorSchema(StrictSchema):
    """What is wrong with an item."""

    type = fields.String(required=True)
    detail = fields.String(required=True)
    index = fields.Integer(required=True)
    field = fields.String()


class AnswerSchema(StrictSchema):
    """What is known of one item."""

    ref = fields.String()
    answer = Word(("hit", "none", "unknown", "error"), required=True)
    why = Word(("index", "unsearchable"))
    standing = Word(("corroborated", "review", "disputed"))
    operators = fields.Integer()
    at_least = Flag()
    truncated = Flag()
    hits = fields.List(fields.Nested(HitSchema))
    error = fields.Nested(ItemErrorSchema)
    explain = fields.Dict()


class MatchIndexSchema(StrictSchema):
    """How fresh the answer is."""

    timeline = fields.String(required=True)
    position = fields.Integer(required=True)
    head = fields.Integer(required=True)
    lag_ms = fields.Integer(required=True)


class MatchAnswerSchema(StrictSchema):
    """One answer an item, in the order asked; with what it is worth."""

    complete = Flag(required=True)
    index = fields.Nested(MatchIndexSchema, required=True)
    answers = fields.List(fields.Nested(AnswerSchema), required=True)


def read_json(body: Any, *, explain: bool) -> Query:
    """The query of a JSON body.

    Raises:
        BadInputError: The body has not the shape, or is too large.
    """
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= {"items", "codes"}:
        raise flaw("malformed-query", 'Send {"items": [...]} or {"codes": {...}}.')
    return (
        _of_items(body["items"], explain) if "items" in body else _of_codes(body["codes"], explain)
    )


def read_packed(body: bytes, *, explain: bool) -> Query:
    """The query of a packed body: ``BWC1``, then a section a signal.

    A section is the signal's number (1 byte), how many codes (4 bytes, big-endian), the codes.
    Each code is an item of its own, in order.

    Raises:
        BadInputError: The body is not whole sections of known signals.
    """
    if not body.startswith(MAGIC):
        raise flaw("malformed-packed-body", "A packed body begins with BWC1.")
    sections: list[tuple[Signal, NDArray[np.uint64]]] = []
    at, total = len(MAGIC), 0
    while at < len(body):
        signal, count, at = _section(body, at)
        total += count
        end = at + count * signal.width
        if total > MOST or end > len(body) or any(signal is one for one, _ in sections):
            raise flaw("malformed-packed-body", f"At most {MOST} codes, one section a signal.")
        sections.append((signal, words_of(signal, body[at:end])))
        at = end
    if not total:
        raise flaw("malformed-packed-body", "Send at least one code.")
    return _of_arrays(sections, {}, explain)


# -- codes, each an item --------------------------------------------------------------------------


def _section(body: bytes, at: int) -> tuple[Signal, int, int]:
    if at + _SECTION.size > len(body):
        raise flaw("malformed-packed-body", "The body ends inside a section.")
    number, count = _SECTION.unpack_from(body, at)
    if number >= len(ORDER) or ORDER[number].name not in _ASKABLE:
        raise flaw("malformed-packed-body", "There is no signal of that number.")
    return ORDER[number], count, at + _SECTION.size


def _of_codes(codes: Any, explain: bool) -> Query:  # noqa: FBT001 - one caller, above
    if not isinstance(codes, dict) or not codes or not codes.keys() <= _ASKABLE.keys():
        raise flaw(
            "unknown-signal", f"Name codes by signal: {', '.join(_ASKABLE)}.", None, "codes"
        )
    if not all(isinstance(texts, list) and texts for texts in codes.values()):
        raise flaw("malformed-query", "Give a list of codes for each signal.", None, "codes")
    if sum(map(len, codes.values())) > MOST:
        raise flaw("too-many-codes", f"At most {MOST} codes a request.", None, "codes")
    sections: list[tuple[Signal, NDArray[np.uint64]]] = []
    flaws: dict[int, Flaw] = {}
    first = 0
    for name, texts in codes.items():
        signal = SIGNALS[name]
        words, bad = _lenient(signal, texts)
        flaws.update({first + index: error for index, error in bad.items()})
        sections.append((signal, words))
        first += len(texts)
    return _of_arrays(sections, flaws, explain)


def _lenient(signal: Signal, texts: list[Any]) -> tuple[NDArray[np.uint64], dict[int, Flaw]]:
    """All codes at once; only where one is bad, one by one."""
    try:
        return parse_codes(signal, texts), {}
    except MalformedHashError:
        pass
    bad: dict[int, Flaw] = {}
    good: list[bytes] = []
    for index, text in enumerate(texts):
        try:
            good.append(signal.parse(text))
        except MalformedHashError as error:
            bad[index] = Flaw("malformed-code", str(error))
            good.append(bytes(signal.width))
    return words_of(signal, b"".join(good)), bad


def _of_arrays(
    sections: Sequence[tuple[Signal, NDArray[np.uint64]]],
    flaws: dict[int, Flaw],
    explain: bool,  # noqa: FBT001 - internal
) -> Query:
    parts: list[Part] = []
    signals: list[frozenset[str]] = []
    unsearchable: set[int] = set()
    first = 0
    for signal, words in sections:
        items = np.arange(first, first + len(words), dtype=np.uint32)
        impossible = _impossible(signal, words)
        flaws.update(
            {first + int(i): _IMPOSSIBLE for i in impossible if first + int(i) not in flaws}
        )
        keep = np.ones(len(words), np.bool_)
        keep[[number - first for number in flaws if first <= number < first + len(words)]] = False
        parts.append(Part(signal, words[keep], items[keep], np.zeros(int(keep.sum()), np.uint8)))
        signals += [frozenset([signal.name])] * len(words)
        if not signal.strong:
            unsearchable |= set(items.tolist())
        first += len(words)
    return Query(
        Batch(tuple(parts), first),
        [None] * first,
        flaws,
        frozenset(unsearchable),
        signals,
        explain,
    )


def _impossible(signal: Signal, words: NDArray[np.uint64]) -> NDArray[np.intp]:
    if signal is not PDQ or not len(words):
        return np.empty(0, np.intp)
    weight = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return np.flatnonzero((weight < LIGHTEST_PDQ) | (weight > HEAVIEST_PDQ))


_IMPOSSIBLE = Flaw("impossible-pdq", "No picture has this PDQ code; check how it is made.")


# -- items ---------------------------------------------------------------------------------------


def _of_items(items: Any, explain: bool) -> Query:  # noqa: FBT001 - one caller, above
    if not isinstance(items, list) or not items:
        raise flaw("malformed-query", "Send a list of items.", None, "items")
    if len(items) > MOST:
        raise flaw("too-many-items", f"At most {MOST} items a request.", None, "items")
    gathered = _Gathered()
    for number, item in enumerate(items):
        gathered.take(number, item)
    return gathered.query(len(items), explain=explain)


class _Gathered:
    """Codes of many items, gathered by signal."""

    def __init__(self) -> None:
        self._codes: dict[str, list[bytes]] = defaultdict(list)
        self._items: dict[str, list[int]] = defaultdict(list)
        self._derivations: dict[str, list[int]] = defaultdict(list)
        self._refs: list[str | None] = []
        self._signals: list[frozenset[str]] = []
        self._flaws: dict[int, Flaw] = {}
        self._unsearchable: set[int] = set()
        self._total = 0

    def take(self, number: int, item: Any) -> None:
        """Take one item; what is wrong with it is its own."""
        ref = item.get("ref") if isinstance(item, dict) else None
        self._refs.append(ref if isinstance(ref, str) and len(ref) <= _LONGEST_REF else None)
        try:
            codes = _item_codes(item)
        except BadInputError as error:
            self._flaws[number] = error.flaws[0]
            self._signals.append(frozenset())
            return
        self._total += len(codes)
        if self._total > MOST:
            raise flaw("too-many-codes", f"At most {MOST} codes a request.", None, "items")
        self._signals.append(frozenset(signal.name for signal, *_ in codes))
        searched = [one for one in codes if one[3]]
        if not any(signal.strong for signal, *_ in searched):
            self._unsearchable.add(number)
        for signal, value, derivation, _ in searched:
            self._codes[signal.name].append(value)
            self._items[signal.name].append(number)
            self._derivations[signal.name].append(derivation)

    def query(self, items: int, *, explain: bool) -> Query:
        """The query of everything taken."""
        parts = tuple(
            Part(
                SIGNALS[name],
                words_of(SIGNALS[name], b"".join(codes)),
                np.array(self._items[name], np.uint32),
                np.array(self._derivations[name], np.uint8),
            )
            for name, codes in self._codes.items()
        )
        return Query(
            Batch(parts, items),
            self._refs,
            self._flaws,
            frozenset(self._unsearchable),
            self._signals,
            explain,
        )


def _item_codes(item: Any) -> list[tuple[Signal, bytes, int, bool]]:
    """Signal, value, derivation of each code, and whether it is fit to be searched."""
    if not isinstance(item, dict) or not item.keys() <= {"ref", "kind", "codes"}:
        raise flaw("malformed-item", "An item has a kind, codes, and a ref of yours.")
    kind = item.get("kind", PICTURE)
    if kind not in (PICTURE, VIDEO):
        raise flaw("unknown-item-kind", f"Use one of: {PICTURE}, {VIDEO}.")
    most = MOST_CODES + (MOST_FRAMES if kind == VIDEO else 0)
    codes = item.get("codes")
    if not isinstance(codes, list) or not 1 <= len(codes) <= most:
        raise flaw("code-count", f"A {kind} has 1 to {most} codes.")
    read = [_item_code(code) for code in codes]
    _check_frames(read, kind)
    _check_counts([one for one in read if one[0] is not VPDQ])
    return read


def _item_code(code: Any) -> tuple[Signal, bytes, int, bool]:
    if not isinstance(code, Mapping) or not code.keys() <= _CODE_KEYS:
        raise flaw("malformed-item", "A code has signal, code, derived, quality and at_ms.")
    name = code.get("signal")
    signal = _ASKABLE.get(name) if isinstance(name, str) else None
    if signal is None:
        raise flaw("unknown-signal", f"Use one of: {', '.join(_ASKABLE)}.")
    signal, quality = signal_at(signal, _at_ms(code)), code.get("quality")
    if quality is not None and (type(quality) is not int or not 0 <= quality <= 100):  # noqa: PLR2004 - a percentage
        raise flaw("malformed-item", "A quality is a whole number from 0 to 100.")
    try:
        value = signal.parse(code.get("code", ""))
        derivation = derivation_id(code.get("derived"))
    except MalformedHashError as error:
        raise flaw("malformed-code", str(error)) from None
    except (UnknownDerivationError, TypeError):
        raise flaw("unknown-derivation", "There is no such derivation.") from None
    is_fit = quality is None or quality >= LEAST_QUALITY
    # Every video fades through black: such a frame is only not searched.
    if signal is PDQ or (signal is VPDQ and is_fit):
        weight = int.from_bytes(value, "big").bit_count()
        if not LIGHTEST_PDQ <= weight <= HEAVIEST_PDQ:
            raise BadInputError([_IMPOSSIBLE])
    return signal, value, derivation, is_fit


def _at_ms(code: Mapping[str, Any]) -> int | None:
    at_ms = code.get("at_ms")
    if at_ms is None:
        return None
    if type(at_ms) is not int or not 0 <= at_ms <= LONGEST_VIDEO_MS or code["signal"] != PDQ.name:
        detail = "A frame has a code of pdq, and a time in ms from the start."
        raise flaw("malformed-frame", detail)
    return at_ms


def _check_frames(codes: Sequence[tuple[Signal, bytes, int, bool]], kind: str) -> None:
    frames = [derivation for signal, _, derivation, _ in codes if signal is VPDQ]
    if frames and kind == PICTURE:
        raise flaw("frame-of-picture", "Only a video has frames.")
    if kind == VIDEO and any(signal.name in {"pdq", "phash"} for signal, *_ in codes):
        raise flaw("frame-without-time", "Say when the frame is shown.")
    if any(frames):
        raise flaw("malformed-frame", "A frame has no derived codes.")
    if len(frames) > MOST_FRAMES:
        raise flaw("too-many-codes", f"A video has at most {MOST_FRAMES} frames.")


def _check_counts(codes: Sequence[tuple[Signal, bytes, int, bool]]) -> None:
    names = [signal.name for signal, *_ in codes]
    plain = [signal.name for signal, _, derivation, _ in codes if derivation == 0]
    if len(set(plain)) != len(plain):
        raise flaw("two-plain-codes", "A picture has one plain code of a signal.")
    if any(names.count(name) > MOST_OF_A_SIGNAL for name in set(names)):
        raise flaw("too-many-codes", f"At most {MOST_OF_A_SIGNAL} codes of one signal.")


_CODE_KEYS = {"signal", "code", "derived", "quality", "at_ms"}
