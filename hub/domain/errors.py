# SPDX-License-Identifier: Apache-2.0
"""What can go wrong by the hub's own rules, as facts.

Sorted by what the caller can do about it:

- HubError
- BadInputError: mend the request and send it again
- ForbiddenError: ask an administrator for the right
- NotFoundError: absent, or not visible to the asker; the two look the same
- ConflictError: somebody else was first; read again
- BusyError: try again after a moment
- UnavailableError: what is needed does not answer; try again later
- GoneError: the cursor belongs to another history; take the snapshot
- BudgetError: the day's budget is used up
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

URN = "urn:breakwater:problem:"
"""What the type of every problem and of every row's error begins with."""


class HubError(Exception):
    """Anything the hub refuses by its own rules."""

    slug = "refused"
    """The stable last word of the problem's type."""


@dataclass(frozen=True)
class Flaw:
    """One thing wrong with an input: its stable slug, a sentence, and where it is."""

    slug: str
    detail: str
    index: int | None = None
    """Which row of a batch, or which code of an item."""
    field: str | None = None

    def told(self) -> dict[str, Any]:
        """As the API tells it, in a problem or in the answer to a row."""
        told: dict[str, Any] = {"type": URN + self.slug, "detail": self.detail}
        if self.index is not None:
            told["index"] = self.index
        if self.field is not None:
            told["field"] = self.field
        return told


class BadInputError(HubError):
    """The request breaks a rule; ``flaws`` says which and where."""

    slug = "bad-input"

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(flaw.detail for flaw in self.flaws))


class ForbiddenError(HubError):
    """The key or the grant does not carry the right."""

    slug = "forbidden"


class NotFoundError(HubError):
    """There is no such thing that the asker may see."""

    slug = "not-found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}, or it is not visible to you.")


class ConflictError(HubError):
    """The request meets a state that does not allow it."""

    slug = "conflict"

    def __init__(self, detail: str, slug: str = "conflict") -> None:
        self.slug = slug
        super().__init__(detail)


class BusyError(HubError):
    """Another writer holds what is needed; nothing was done."""

    slug = "busy"


class UnavailableError(HubError):
    """The database, or everything that could answer, is away."""

    slug = "not-ready"


class GoneError(HubError):
    """A cursor of another timeline, or older than what is kept."""

    slug = "cursor-gone"


class BudgetError(HubError):
    """The budget is used up.

    Args:
        retry_after: seconds until it is filled again.
    """

    slug = "budget-used-up"

    def __init__(self, detail: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(detail)


def flaw(
    slug: str, detail: str, index: int | None = None, field: str | None = None
) -> BadInputError:
    """Make the error of a single flaw."""
    return BadInputError([Flaw(slug, detail, index, field)])
