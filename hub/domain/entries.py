# SPDX-License-Identifier: Apache-2.0
"""An entry as it is told: the indicator in one set, its words, and what the votes make of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hub.domain.standing import Entry, Standing, Verdict, Vote, standing, verdict


class Described(NamedTuple):
    """One indicator in one set, read in one statement with every live vote on it."""

    indicator: int
    indicator_id: str
    set_key: int
    n: int
    operator: int
    item_kind: str
    label: int
    words: Mapping[str, Any]
    entry: Entry
    votes: Sequence[Vote]

    def standing(self, now: datetime) -> Standing:
        """What the hub says of it from that moment on, and until when."""
        return standing(self.entry, self.votes, now)

    def verdict(self, now: datetime) -> Verdict:
        """What the hub says of it at that moment."""
        return verdict(self.entry, self.votes, now)
