# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong in federation, sorted by what a caller can do about it.

FederationError
- TransportError: somebody did not answer, or not in time. Try again later.
- RefusedError: what came is not to be believed, and says why by an alarm. Never.
  - MalformedError: bytes are no value of this protocol.
- WeakKeyError: a public key under which anybody could sign. Never: get another.
- MissingKeyError: a private key is not where it should be. Mend the place.
- SizeConflictError: a witness knows another size of a log than its caller; ask again from there.

No message carries a code, a key's secret half, or anything else that was refused.
"""

from enum import StrEnum


class Alarm(StrEnum):
    """Why something was refused: one word for people, metrics, evidence and tests."""

    # What it is made of.
    MALFORMED = "malformed"
    NON_CANONICAL = "non-canonical"
    TOO_LARGE = "too-large"
    # Who says it.
    UNSIGNED = "unsigned"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_KEY = "unknown-key"
    RETIRED_KEY = "retired-key"
    WRONG_ORIGIN = "wrong-origin"
    # How its log grows.
    ROLLBACK = "rollback"
    FORK = "fork"
    SPLIT_VIEW = "split-view"
    NOT_IN_LOG = "not-in-log"
    GAP = "gap"
    # When.
    EXPIRED = "expired"
    FUTURE = "future"
    STALE = "stale"
    # Whether it may be said, and here.
    OUT_OF_AUDIENCE = "out-of-audience"
    UNVOUCHED = "unvouched"
    UNWITNESSED = "unwitnessed"
    CONTENT = "content"
    EQUIVOCATION = "equivocation"
    # How it came.
    TRANSPORT = "transport"
    REPLAYED = "replayed"
    FLOOD = "flood"


class FederationError(Exception):
    """The family: catch this to catch all of them."""


class TransportError(FederationError):
    """Somebody did not answer, or not in time, or not as HTTP asks.

    Args:
        what: in words, without addresses.
        retry_after: seconds to wait at least; 0 if nothing was said.
    """

    def __init__(self, what: str, retry_after: float = 0.0) -> None:
        self.retry_after = retry_after
        super().__init__(what)


class RefusedError(FederationError):
    """What came is not to be believed.

    Args:
        alarm: why.
        what: the same in words; nothing of what was refused.
        evidence: signed bytes that prove it to a third party, if there are any.
    """

    def __init__(self, alarm: Alarm, what: str, *evidence: bytes) -> None:
        self.alarm = alarm
        self.what = what
        self.evidence = evidence
        super().__init__(f"{alarm.value}: {what}")


class MalformedError(RefusedError):
    """Bytes are no value of this protocol."""

    def __init__(self, what: str, alarm: Alarm = Alarm.MALFORMED) -> None:
        super().__init__(alarm, what)


class WeakKeyError(FederationError):
    """A public key under which one signature fits many messages, or which is written unusually."""

    def __init__(self) -> None:
        super().__init__("the public key is of small order or not canonical: take another")


class MissingKeyError(FederationError):
    """A private key is not where it should be."""


class SizeConflictError(FederationError):
    """A witness has cosigned another size of a log than its caller believes."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the size that was cosigned last is {size}")
