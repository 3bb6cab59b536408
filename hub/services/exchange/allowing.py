# SPDX-License-Identifier: Apache-2.0
"""How much a hub may take back in a day before anybody looks; see ``domain.pace``."""

from datetime import datetime

from hub.ports import Work


class Allowance:
    """Counts what one hub takes back, whoever brings it.

    Args:
        hub: its name.
        key: internal; None: it is not known here any more, and may do what anybody may.
        at: the present moment.
        work: a transaction that writes.
    """

    def __init__(self, hub: str, key: int | None, at: datetime, work: Work) -> None:
        self._hub, self._key, self._at, self._work = hub, key, at, work
        self._revocable: int | None = None
        self._is_counted = False
        self.revoked = 0

    def takes(self) -> bool:
        """Take back one more; whether that may be without anybody's look."""
        may = self._may()
        self.revoked += 1
        return may

    def count(self) -> None:
        """Keep how many it took back."""
        if self._key is not None and self.revoked:
            self._work.partners.paced(self._key, self._at, added=0, revoked=self.revoked)

    def _may(self) -> bool:
        if self._revocable is None:
            # What any hub may always do is known without a count.
            self._revocable = self._of(live=0)
        if self.revoked == self._revocable and not self._is_counted:
            live = self._work.partners.live(self._hub) + self.revoked
            self._revocable, self._is_counted = self._of(live), True
        return self.revoked < self._revocable

    def _of(self, live: int) -> int:
        pace = self._work.partners.pace(self._key or 0, self._at)
        return pace.revocable(live)
