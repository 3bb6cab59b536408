# SPDX-License-Identifier: Apache-2.0
"""Registers: what all hubs agree on in the end, whatever came first, twice, or not at all.

A register holds what its one author said with the highest version. Joining is associative,
commutative and idempotent, so order, repetition and loops are of no matter. A version that was
said twice with different content is kept twice: it counts for nothing, and proves a lie.

Expiry alone would not converge: a later version with a shorter life is forgotten where it was
seen, and hubs it never reached keep the earlier one alive. So each operation carries ``keep``,
which never falls from version to version; what is past it is forgotten everywhere, and refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")
TWINS = 2
"""Of more things said with one version two are kept: they prove the lie."""


@dataclass(frozen=True)
class Held(Generic[T]):
    """What a hub holds of one register.

    Attributes:
        version: (epoch, n).
        operations: by id, what was said with that version; more than one is a lie.
        keep: until when it must be held: the highest ``keep`` that was seen.
    """

    version: tuple[int, int]
    operations: Mapping[str, T]
    keep: int

    @property
    def is_told_twice(self) -> bool:
        """Whether its author said two things with one version."""
        return len(self.operations) > 1

    @property
    def said(self) -> T | None:
        """What holds; None where its author contradicts itself."""
        return None if self.is_told_twice else next(iter(self.operations.values()))


def joined(one: Held[T], other: Held[T]) -> Held[T]:
    """What a hub that has seen both holds; of one id, it is *one* whose operation is kept."""
    keep = max(one.keep, other.keep)
    if one.version == other.version:
        together = sorted({**other.operations, **one.operations}.items())
        return Held(one.version, dict(together[:TWINS]), keep)
    return replace(max(one, other, key=lambda held: held.version), keep=keep)


def is_forgotten(keep: int, now: int) -> bool:
    """Whether what is kept until *keep* (seconds since 1970) may be, and must be, forgotten."""
    return keep <= now
