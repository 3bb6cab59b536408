# SPDX-License-Identifier: Apache-2.0
"""Exclusions: pictures that must not be found, with whatever looks like them.

An exclusion is one operator's disagreement with every entry of a set whose picture is near it, now
and later. It hides nothing by itself: what an operator says of a picture is a voice, whoever says
it. To suppress what others say takes two people, and that is not this.
"""

from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.errors import BadInputError, flaw
from hub.domain.guards import PICTURE, query_flaws
from hub.domain.indicators import Code
from matching.signals import PDQ, SIGNALS

LOOK = PDQ.name
DIGESTS = frozenset({"md5", "sha1", "sha256"})
"""Of these what is equal is meant, and nothing is near."""
MOST_OF_AN_OPERATOR = 10_000
"""Exclusions of one operator in a set: each new entry is held against all of them."""


@dataclass(frozen=True)
class Exclusion:
    """One operator's word that a picture must not be found in one set.

    Attributes:
        id: public, the same in all hubs, its author's own.
        operator: internal key.
        operator_kind: what the operator was when it said so.
        party: by whom it speaks.
        set_key: where.
        code: of the picture, plain.
        radius: bits up to which another code is meant too.
        reason: of the vocabulary's disputes.
        expires: until when.
        key: internal; 0: not kept yet.
        hub: through which it was said; None: here, or not kept yet.
    """

    id: str
    operator: int
    operator_kind: str
    party: int
    set_key: int
    code: Code
    radius: int
    reason: str
    expires: datetime
    key: int = 0
    hub: str | None = None
    bits: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", int.from_bytes(self.code.value, "big"))

    @property
    def says(self) -> tuple[str, bytes, int, str]:
        """What it says, but of where and until when."""
        return self.code.signal, self.code.value, self.radius, self.reason

    def covers(self, code: Code) -> bool:
        """Whether a code of a picture is meant: a plain one, as near as it says."""
        if code.derivation or code.signal != self.code.signal:
            return False
        return (int.from_bytes(code.value, "big") ^ self.bits).bit_count() <= self.radius


def check_code(code: Code) -> None:
    """Refuse a code by which nothing can be excluded.

    Raises:
        BadInputError: Its signal says nothing for sure, or it can be no picture's.
    """
    if code.signal != LOOK and code.signal not in DIGESTS:
        names = ", ".join((LOOK, *sorted(DIGESTS)))
        raise flaw("not-excludable", f"Give a code of one of: {names}.")
    signal = SIGNALS[code.signal]
    if len(code.value) != signal.width:
        raise flaw("malformed-code", f"A code of {signal.name} has {signal.width} bytes.")
    flaws = query_flaws(PICTURE, [code])
    if flaws:
        raise BadInputError(flaws)


def radius_of(code: Code, radius: int) -> int:
    """The radius that an exclusion has: of a digest only what is equal is near."""
    return radius if code.signal == LOOK else 0
