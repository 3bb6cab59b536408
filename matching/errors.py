# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong in matching, sorted by what a caller can do about it.

MatchingError
- MalformedHashError: a text is no code of its signal. Never: correct it at its source.
- UnknownSignalError: no signal has that name. Never.
- UnknownDerivationError: no derivation has that name or byte. Never.
- RefusedPictureError (in ``matching.pictures``): a picture is not hashed. Never.
- HasherError (in ``matching.pictures``): no process that hashes can be started. Mend the machine.
- MalformedAddressError: the address of a Redis cannot be read. Never: correct it.
- MalformedBatchError: arrays of unequal length or wrong shape. Never: a mistake of the caller.
- RebuildError: what is held cannot be trusted or continued. Load it again from the feed.
  - GapError: a change is missing before this one.
  - DigestError: count or digest of the rows is not what the truth says.
  - CorruptIndexError: bytes of the shared copy are not what was written.
  - ForeignTimelineError: the shared copy belongs to another history.
- UnavailableError: somebody did not answer. Try again.
  - StoreUnavailableError: the shared copy.
  - FeedUnavailableError: the truth.

No message carries a code: a hash of abuse material in a log is a leak.
"""


class MatchingError(Exception):
    """The family: catch this to catch all of them."""


class MalformedHashError(MatchingError):
    """A text is no code of its signal; the text itself is withheld."""

    def __init__(self, signal: str, digits: int, index: int | None = None) -> None:
        self.signal = signal
        self.digits = digits
        self.index = index
        place = "" if index is None else f" at index {index}"
        super().__init__(f"{signal}{place}: write exactly {digits} lower-case hex digits")


class UnknownSignalError(MatchingError):
    """No signal has that name; the name is withheld, for it came from outside."""

    def __init__(self, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown signal: use one of {', '.join(known)}")


class UnknownDerivationError(MatchingError):
    """No derivation has that name or byte; it is withheld, for it came from outside."""

    def __init__(self) -> None:
        super().__init__("unknown derivation: use a name of the version that the hub states")


class MalformedAddressError(MatchingError):
    """The address of a Redis cannot be read; it is withheld, for a password may stand in it."""


class MalformedBatchError(MatchingError):
    """Arrays that do not fit together."""


class RebuildError(MatchingError):
    """What is held cannot be trusted or continued: load it again."""


class GapError(RebuildError):
    """A change is missing before this one."""

    def __init__(self, expected: int, received: int) -> None:
        self.expected = expected
        self.received = received
        super().__init__(f"expected the change at position {expected}, received {received}")


class DigestError(RebuildError):
    """Count or digest of a signal's rows is not what the truth says at this position."""

    def __init__(self, signal: str, position: int) -> None:
        self.signal = signal
        self.position = position
        super().__init__(f"{signal}: rows differ from the truth at position {position}")


class CorruptIndexError(RebuildError):
    """Bytes of the shared copy are missing or not what was written."""


class ForeignTimelineError(RebuildError):
    """The shared copy belongs to another history: write a checkpoint of this one first."""

    def __init__(self) -> None:
        super().__init__("the shared copy belongs to another timeline: write a checkpoint first")


class UnavailableError(MatchingError):
    """Somebody did not answer: try again."""


class StoreUnavailableError(UnavailableError):
    """The shared copy did not answer."""


class FeedUnavailableError(UnavailableError):
    """The truth did not answer."""
