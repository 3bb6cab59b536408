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

from federation.operations.values import Operation


@dataclass(frozen=True)
class Held:
    """What a hub holds of one register.

    Attributes:
        version: (epoch, n).
        operations: by id, what was said with that version; more than one is a lie.
        keep: until when it must be held: the highest ``keep`` that was seen.
    """

    version: tuple[int, int]
    operations: Mapping[str, Operation]
    keep: int

    @property
    def is_told_twice(self) -> bool:
        """Whether its author said two things with one version."""
        return len(self.operations) > 1

    @property
    def said(self) -> Operation | None:
        """What holds; None where its author contradicts itself."""
        return None if self.is_told_twice else next(iter(self.operations.values()))


def holding(identifier: str, operation: Operation) -> Held:
    """A register of which one operation is known."""
    return Held(operation.version, {identifier: operation}, operation.keep)


def joined(one: Held, other: Held) -> Held:
    """What a hub that has seen both holds."""
    keep = max(one.keep, other.keep)
    if one.version == other.version:
        together = {**one.operations, **other.operations}
        return Held(one.version, dict(sorted(together.items())), keep)
    return replace(max(one, other, key=lambda held: held.version), keep=keep)


def is_forgotten(keep: int, now: int) -> bool:
    """Whether what is kept until *keep* (seconds since 1970) may be, and must be, forgotten."""
    return keep <= now
