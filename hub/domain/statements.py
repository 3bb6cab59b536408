# SPDX-License-Identifier: Apache-2.0
"""What is said here as it is said between hubs, and back.

Words go out verbatim and are kept verbatim: what this hub does not know is read by its parent,
as the vocabulary or the statement itself names it, and by the list's own "unknown" if need be.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from federation.operations.values import (
    Assert,
    Frames,
    Opinion as Stated,
    Policy,
    SignalCode,
    Word,
)
from hub.domain.errors import BadInputError, flaw
from hub.domain.frames import telling
from hub.domain.guards import FRAME, contribution_flaws
from hub.domain.indicators import MATCH, Code, Draft, Indicator, Opinion, Words
from hub.domain.standing import AGREE
from hub.domain.vocabulary import VOCABULARY
from matching.derivations import derivation_id, derivation_name
from matching.errors import UnknownDerivationError
from matching.signals import SIGNALS

COPIED = "matched-shared"
"""The basis of what its contributor had been told of before: it adds no voice anywhere."""
UNSAID_QUALITY = 255
FRAME_BYTES, TIME_BYTES = 32, 4
_SINGLE = ("use", "depicts", "basis", "priority", "confidence", "content_class", "synthetic")
_LISTS = ("countries", "class_refs", "refs")
MOST_ASSESSORS = 3


def tlp_of(label: str) -> str:
    """A set's TLP label as policies write it."""
    return label.removeprefix("TLP:").lower()


# -- out -----------------------------------------------------------------------------------------


def stated(indicator: Indicator, codes: Sequence[Code]) -> Assert:
    """What an indicator says, for other hubs."""
    frames = [code for code in codes if code.signal == FRAME]
    return Assert(
        item=indicator.item_kind,
        signals=tuple(_code_out(code) for code in codes if code.signal != FRAME),
        words=_words_out(indicator.words, is_copy=indicator.copied),
        frames=_frames_out(frames) if frames else None,
        profile=indicator.profile,
    )


def stated_opinion(opinion: Opinion) -> Stated:
    """What an operator thinks of an entry, for other hubs."""
    return Stated(
        opinion.stance, opinion.reason, opinion.basis, opinion.assessed_by, opinion.reach
    )


def _words_out(words: Words, *, is_copy: bool) -> dict[str, Word]:
    said: dict[str, Word] = {"harm": words.harm, "assessed_by": words.assessed_by}
    said |= {name: getattr(words, name) for name in _SINGLE}
    said |= {name: getattr(words, name) for name in _LISTS if getattr(words, name)}
    if is_copy:
        said["basis"] = COPIED
    if words.case is not None:
        said["case"] = words.case
    if words.list_name is not None:
        said["list"] = words.list_name
    if words.observed_at is not None:
        said["observed_at"] = int(words.observed_at.timestamp())
    return said


def _code_out(code: Code) -> SignalCode:
    derived = derivation_name(code.derivation) if code.derivation else None
    return SignalCode(code.signal, code.value, code.quality, derived)


def _frames_out(frames: Sequence[Code]) -> Frames:
    times = np.array([code.at_ms or 0 for code in frames], ">u4")
    known = (UNSAID_QUALITY if code.quality is None else code.quality for code in frames)
    return Frames(b"".join(code.value for code in frames), times.tobytes(), bytes(known))


# -- in ------------------------------------------------------------------------------------------


def drafted(said: Assert, *, sets: Sequence[int], expires: datetime, act: str = MATCH) -> Draft:
    """What another hub says of an item, ready to be kept here.

    A signal or derivation that is not known here is carried on in the statement, and searched by
    nobody.

    Raises:
        BadInputError: The guards refuse it, as they would refuse a member's.
    """
    codes = [code for one in said.signals if (code := _code_in(one)) is not None]
    kept = telling([*codes, *_frames_in(said.frames)])
    flaws = contribution_flaws(said.item, kept)
    if flaws:
        raise BadInputError(flaws)
    return Draft(
        item_kind=said.item,
        codes=kept,
        words=_words_in(tuple(said.words.items()), tuple(said.parents.items()), act),
        sets=tuple(sorted(sets)),
        expires=expires,
        profile=said.profile,
    )


@lru_cache(maxsize=4096)
def _words_in(
    words: tuple[tuple[str, Word], ...], wider: tuple[tuple[str, str], ...], act: str
) -> Words:
    """Words as this hub knows them; many a statement is of the same words as the one before."""
    said, parents = dict(words), dict(wider)

    def term(name: str, word: Word | None) -> str | None:
        return VOCABULARY.read_as(name, word, parents.get(word)) if isinstance(word, str) else None

    harms = said.get("harm")
    harm = [term("harm", one) for one in (harms if isinstance(harms, tuple) else ())]
    known = tuple(dict.fromkeys(one for one in harm if one is not None))
    read = {name: term(name, said.get(name)) for name in _SINGLE}
    # Only what was said is read: for the rest there are defaults.
    values: dict[str, Word] = {name: word for name, word in read.items() if word is not None}
    for name in ("use", "depicts"):
        values.setdefault(name, "unknown")
    values.setdefault("basis", "automated-unreviewed")
    lists = {name: w for name in _LISTS if isinstance(w := said.get(name), tuple)}
    for name, check in _CHECKS.items():
        lists[name] = tuple(one for one in lists.get(name, ()) if _passes(check, one))
    return Words(
        harm=known[:3] or ("unspecified-csea",),
        assessed_by=_people(said.get("assessed_by")),
        case=_text(said.get("case")),
        list_name=_text(said.get("list")),
        observed_at=_moment(said.get("observed_at")),
        act=act,
        **{**values, **lists},  # type: ignore[arg-type]  # checked above, name by name
    )


def read_opinion(said: Stated, set_key: int, act: str = MATCH) -> Opinion:
    """An opinion as this hub knows it.

    From an agreement that may only be looked at, no match follows; a disagreement asks for none.
    """
    stance = VOCABULARY.read_as("opinion", said.stance) or "seen"
    if stance == AGREE and act != MATCH:
        stance = "seen"
    reason = said.reason and VOCABULARY.read_as("dispute_reason", said.reason)
    basis = said.basis and VOCABULARY.read_as("basis", said.basis)
    return Opinion(set_key, stance, reason, basis, said.assessed_by, said.reach)


def _code_in(one: SignalCode) -> Code | None:
    signal = SIGNALS.get(one.signal)
    if signal is None or one.signal == FRAME:
        return None
    if len(one.value) != signal.width:
        raise flaw("malformed-code", f"A code of {signal.name} has {signal.width} bytes.")
    try:
        derivation = derivation_id(one.derived) if one.derived is not None else 0
    except UnknownDerivationError:
        return None
    return Code(one.signal, one.value, derivation, one.quality)


def _frames_in(frames: Frames | None) -> list[Code]:
    if frames is None:
        return []
    times = np.frombuffer(frames.times, ">u4")
    return [
        Code(
            FRAME,
            frames.codes[FRAME_BYTES * at : FRAME_BYTES * (at + 1)],
            quality=None if quality == UNSAID_QUALITY else quality,
            at_ms=int(times[at]),
        )
        for at, quality in enumerate(frames.qualities)
    ]


_CHECKS = {"countries": VOCABULARY.check_country, "class_refs": VOCABULARY.check_class_ref}


def _passes(check: Callable[[str], str], word: str) -> bool:
    try:
        check(word)
    except BadInputError:
        return False
    return True


def _people(word: Word | None) -> int:
    return min(max(word, 0), MOST_ASSESSORS) if isinstance(word, int) else 0


def _text(word: Word | None) -> str | None:
    return word if isinstance(word, str) else None


def _moment(word: Word | None) -> datetime | None:
    return datetime.fromtimestamp(word, UTC) if isinstance(word, int) and word < 2**35 else None


def policy(sets: Sequence[str], *, tlp: str, onward: str) -> Policy:
    """Who may have it and what for."""
    return Policy(tlp=tlp, sets=tuple(sorted(sets)), onward="set" if onward == "set" else "none")
