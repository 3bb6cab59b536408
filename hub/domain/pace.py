# SPDX-License-Identifier: Apache-2.0
"""How fast a partner may change what it says before a person looks.

A partner that takes back much at once may have been taken over: what goes beyond is shown as
disputed for a day, and then goes as well. One that says far more than it used to waits with it;
what it takes back does not wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

DAY = timedelta(days=1)
MOST_REVOKED = Fraction(5, 100)
"""Of what a partner says, what it may take back in a day without anybody's look."""
FEW = 20
"""So many it may always: one in twenty of a handful would be none."""
TIMES_USUAL = 10
LEAST_USUAL = 1_000
"""Additions a day that are usual for anybody."""
USUAL_DAYS = 7
"""Of these days the usual is the mean; a partner that is younger has nothing usual yet."""


@dataclass(frozen=True)
class Pace:
    """What a partner did of late.

    Attributes:
        revoked: what it took back in the last 24 hours.
        added: what it added in the last 24 hours.
        before: what it added in each of the days before, if it was a partner for so long.
    """

    revoked: int
    added: int
    before: Sequence[int] = ()

    def revocable(self, live: int) -> int:
        """How many more it may take back now at once, of so many that it has here."""
        # Of what there was a day ago, so that taking back does not shrink the allowance.
        allowed = int((live + self.revoked) * MOST_REVOKED)
        return max(0, max(FEW, allowed) - self.revoked)

    @property
    def is_flood(self) -> bool:
        """Whether it adds far more than it used to."""
        if len(self.before) < USUAL_DAYS:
            return False
        usual = max(LEAST_USUAL, sum(self.before) // len(self.before))
        return self.added > TIMES_USUAL * usual
