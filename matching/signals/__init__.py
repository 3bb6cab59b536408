# SPDX-License-Identifier: Apache-2.0
"""The kinds of code there are, in one fixed order: a signal's index is written into digests."""

from collections.abc import Mapping
from types import MappingProxyType

from matching.errors import UnknownSignalError
from matching.signals.account import ACCOUNT
from matching.signals.md5 import MD5
from matching.signals.pdq import PDQ
from matching.signals.phash import PHASH
from matching.signals.sha1 import SHA1
from matching.signals.sha256 import SHA256
from matching.signals.signal import Signal
from matching.signals.vpdq import VPDQ

__all__ = [
    "ACCOUNT",
    "INDEX",
    "MD5",
    "ORDER",
    "PDQ",
    "PHASH",
    "SHA1",
    "SHA256",
    "SIGNALS",
    "VPDQ",
    "Signal",
    "signal_at",
    "signal_named",
]

# New signals are appended, never inserted: the index is part of every stored digest.
ORDER: tuple[Signal, ...] = (PDQ, PHASH, MD5, SHA1, SHA256, ACCOUNT, VPDQ)
SIGNALS: Mapping[str, Signal] = MappingProxyType({signal.name: signal for signal in ORDER})
INDEX: Mapping[str, int] = MappingProxyType({s.name: i for i, s in enumerate(ORDER)})


def signal_named(name: str) -> Signal:
    """Return the signal of that name.

    Raises:
        UnknownSignalError: There is none.
    """
    try:
        return SIGNALS[name]
    except (KeyError, TypeError):
        raise UnknownSignalError(tuple(SIGNALS)) from None


def signal_at(signal: Signal, at_ms: int | None) -> Signal:
    """Return the signal as which a code is kept: the PDQ of a frame is not that of a picture.

    Args:
        signal: as the code's text names it.
        at_ms: when the frame is shown; None for a code of the item as a whole.
    """
    return VPDQ if signal is PDQ and at_ms is not None else signal
