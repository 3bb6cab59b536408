# SPDX-License-Identifier: Apache-2.0
"""Why a plan was chosen, and what else was thought of."""

from dataclasses import dataclass

from matching.search.planning import Considered, allowance, choose, considered

SHOWN = 5


@dataclass(frozen=True)
class Explanation:
    """A choice among plans.

    Attributes:
        rows: how many codes there will be.
        bits: of a code.
        radius: bits.
        allowed: bytes that a segment may take.
        chosen: the plan that was chosen.
        fitting: the fastest that fit, the chosen one among them.
        lacking: of those that would be faster, the one that lacks least memory.
    """

    rows: int
    bits: int
    radius: int
    allowed: int
    chosen: Considered
    fitting: tuple[Considered, ...]
    lacking: Considered | None

    @property
    def reason(self) -> str:
        """Why it was chosen, as a sentence."""
        if self.chosen.bytes > self.allowed:
            return "None fits into the memory allowed; this one takes the least."
        if self.chosen.spread is None:
            return "So few are compared sooner than looked up."
        if self.lacking is None:
            return "The fastest of all."
        return "The fastest of those that fit into the memory allowed."


def explain(rows: int, bits: int, radius: int, *, budget: int | None = None) -> Explanation:
    """Say what `choose` chooses, and among what.

    Args:
        rows: how many codes there will be.
        bits: of a code, 64 to 256.
        radius: bits.
        budget: bytes that the segment may take, if there is a bound.
    """
    found = sorted(considered(rows, bits, radius), key=lambda one: one.nanoseconds)
    allowed = allowance(rows, bits, budget)
    chosen = choose(rows, bits, radius, budget=budget)
    faster = (one for one in found if one.nanoseconds < chosen.nanoseconds and one.bytes > allowed)
    return Explanation(
        rows=rows,
        bits=bits,
        radius=radius,
        allowed=allowed,
        chosen=chosen,
        fitting=tuple([one for one in found if one.bytes <= allowed][:SHOWN]),
        lacking=min(faster, key=lambda one: one.bytes, default=None),
    )
