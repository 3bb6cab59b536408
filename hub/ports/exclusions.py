# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do with pictures that must not be found."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from hub.domain.exclusions import Exclusion


class Exclusions(Protocol):
    """Exclusions that hold, a row for each set."""

    def add(self, one: Exclusion, at: datetime) -> int:
        """Keep an exclusion; returns its internal key."""
        ...

    def prolong(self, key: int, expires: datetime) -> None:
        """Let an exclusion hold until another time."""
        ...

    def end(self, keys: Collection[int]) -> list[tuple[int, int]]:
        """Forget exclusions; returns the entries, as (indicator, set), on which they voted."""
        ...

    def keyed(self, key: int) -> Exclusion | None:
        """The exclusion of that internal key."""
        ...

    def own(self, public_id: str | None = None, set_key: int | None = None) -> list[Exclusion]:
        """Exclusions of this hub's members, oldest first: of that id, of that set."""
        ...

    def of_author(self, hub: str, author: str, public_id: str) -> list[Exclusion]:
        """What an author of another hub calls so, a row for each set."""
        ...

    def in_set(self, set_key: int) -> list[Exclusion]:
        """All that hold in a set."""
        ...

    def count(self, operator: int, set_key: int) -> int:
        """How many an operator has in a set."""
        ...

    def due(self, now: datetime, limit: int) -> list[int]:
        """Internal keys of exclusions whose time is over."""
        ...
