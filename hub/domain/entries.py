# SPDX-License-Identifier: Apache-2.0
"""An entry as it is told: the indicator in one set, its words, and what the votes make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.standing import Entry, Standing, Vote, standing


@dataclass(frozen=True)
class Described:
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
        """What the hub says of it at that moment."""
        return standing(self.entry, self.votes, now)
