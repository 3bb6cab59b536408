# SPDX-License-Identifier: Apache-2.0
"""Matching at home: from items to a batch, and from what was found to answers, as a hub does it.

What a hub tells by its own knowledge of a standing, this tells by the record that it sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hub.client.answers import Answer, Hit, Record
from hub.client.errors import URN, Flaw
from hub.client.values import Code, Item
from matching.batches import Batch, Part, words_of
from matching.derivations import derivation_id
from matching.errors import MalformedHashError, UnknownDerivationError, UnknownSignalError
from matching.signals import ORDER, SIGNALS, signal_at, signal_named

_NEAR_BITS = 16
_BEST_LAST = ("disputed", "review", "corroborated")


@dataclass(frozen=True)
class Found:
    """One row of the engine's: a code of an item against a code of a record."""

    signal: str
    distance: int
    asked: int
    stored: int


@dataclass(frozen=True)
class Question:
    """One item as it is searched; with an *error* nothing of it is."""

    item: Item
    codes: tuple[tuple[str, bytes, int], ...] = ()
    """Signal, value and derivation of each code that is fit to be searched."""
    error: Flaw | None = None

    @property
    def is_searchable(self) -> bool:
        """Whether a miss of it says anything."""
        return any(SIGNALS[signal].strong for signal, _, _ in self.codes)


def question_of(item: Item) -> Question:
    """Read an item; what is wrong with it is its own."""
    try:
        codes = tuple(_read(code) for code in item.codes if _is_fit(code))
    except MalformedHashError as error:
        return Question(item, error=Flaw(URN + "malformed-code", str(error)))
    except UnknownSignalError as error:
        return Question(item, error=Flaw(URN + "unknown-signal", str(error)))
    except UnknownDerivationError as error:
        return Question(item, error=Flaw(URN + "unknown-derivation", str(error)))
    return Question(item, codes)


def batch_of(questions: Sequence[Question]) -> Batch:
    """Gather the codes of all items by signal."""
    parts = []
    for signal in ORDER:
        rows = [
            (number, value, derivation)
            for number, question in enumerate(questions)
            for name, value, derivation in question.codes
            if name == signal.name
        ]
        parts.append(
            Part(
                signal,
                words_of(signal, b"".join(value for _, value, _ in rows)),
                np.array([number for number, _, _ in rows], np.uint32),
                np.array([derivation for _, _, derivation in rows], np.uint8),
            )
        )
    return Batch(tuple(parts), len(questions))


def hit_of(record: Record, rows: Sequence[Found], now: datetime) -> Hit:
    """Tell what an item hit of one record, by the best of its codes."""
    strong = [row for row in rows if SIGNALS[row.signal].strong]
    # Plain before derived, then the nearest.
    best = min(strong or rows, key=lambda row: (bool(row.asked or row.stored), row.distance))
    is_past = record.until is not None and datetime.fromisoformat(record.until) <= now
    # Only its contributor vouches for a stored derived code, a weak signal only supports, and
    # a standing whose time has run out is nobody's word any more.
    capped = record.standing == "corroborated" and (best.stored or not strong or is_past)
    words = record.words
    return Hit(
        standing="review" if capped else record.standing,
        band=_band(best, is_weak=not strong),
        signal=best.signal,
        id=record.id,
        set=record.set,
        harm=tuple(words.get("harm", ())),
        use=words.get("use", "unknown"),
        depicts=words.get("depicts", "unknown"),
        priority=words.get("priority", "standard"),
        support=tuple(sorted({row.signal for row in rows} - {best.signal})),
        weak=not strong,
        unverified=is_past,
    )


def answer_of(
    question: Question, hits: Sequence[Hit], *, truncated: bool, complete: bool
) -> Answer:
    """Answer one item; "none" is said only of what was searched, completely."""
    ref = question.item.ref
    if question.error:
        return Answer("error", complete, ref, error=question.error)
    if hits:
        best = max((hit.standing for hit in hits), key=_rank)
        return Answer(
            "hit",
            complete,
            ref,
            standing=best,
            at_least=truncated,
            truncated=truncated,
            hits=tuple(hits),
        )
    if not question.is_searchable:
        return Answer("unknown", complete, ref, why="unsearchable")
    if not complete:
        return Answer("unknown", complete, ref, why="index")
    return Answer("none", complete, ref)


def _read(code: Code) -> tuple[str, bytes, int]:
    signal = signal_at(signal_named(code.signal), code.at_ms)
    return signal.name, signal.parse(code.code), derivation_id(code.derived)


def _is_fit(code: Code) -> bool:
    floor = signal_named(code.signal).quality_floor
    return floor is None or code.quality is None or code.quality >= floor


def _band(best: Found, *, is_weak: bool) -> str:
    if best.asked or best.stored:
        return "derived"
    if best.distance == 0:
        return "exact"
    return "near" if is_weak or best.distance <= _NEAR_BITS else "edge"


def _rank(standing: str) -> int:
    """Order standings; one that this client does not know yet is no better than "review"."""
    return _BEST_LAST.index(standing if standing in _BEST_LAST else "review")
