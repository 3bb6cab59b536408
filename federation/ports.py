# SPDX-License-Identifier: Apache-2.0
"""Everything that federation needs from outside, on one page.

Time comes as a number, randomness as a function, keys as a ``Signer``; what is kept is handed
back to the caller. So two things are left to ask for: a partner, and whether a request is new.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What a partner answered.

    Attributes:
        status: as HTTP numbers them; 200 to 299, or 400 to 499 but 429.
        body: at most as long as was asked for.
        media_type: without parameters, in lower case; empty if none was given.
    """

    status: int
    body: bytes = field(repr=False)
    media_type: str = ""


class Wire(Protocol):
    """The way to one partner: a request out, an answer back, or an error in good time."""

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:
        """Ask for something.

        Args:
            path: under the partner's base, with its query; begins with a slash.
            max_bytes: of the answer, before and after it is unpacked.
            seconds: for all of it, from the first byte out to the last one in.

        Raises:
            TransportError: No answer, or none in time; also 429 and everything from 500.
            RefusedError: TOO_LARGE; or TRANSPORT: a redirect, an address that must not be
                asked, an answer that its partner did not sign.
        """
        ...

    def post(
        self, path: str, body: bytes, *, media_type: str, max_bytes: int, seconds: float
    ) -> Answer:
        """Send something; the rest is as with ``get``."""
        ...


class Nonces(Protocol):
    """Remembers which requests came already."""

    def is_new(self, key_id: str, nonce: str, created: int) -> bool:
        """Whether a request was never seen; asked twice at once, one of the two is told so.

        Args:
            key_id: who signed it.
            nonce: what it was signed with.
            created: when, in seconds since 1970; what was created before a memory that was lost
                can be relied on again is not new.

        Raises:
            TransportError: Nobody can tell now.
        """
        ...
