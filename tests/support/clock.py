# SPDX-License-Identifier: Apache-2.0
"""Time of day that passes when a test says so."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A ``Clock`` of the hub: it tells the same moment until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **passed: float) -> None:
        """Let time pass, said as for a timedelta: ``forward(seconds=3)``."""
        self.now += timedelta(**passed)
