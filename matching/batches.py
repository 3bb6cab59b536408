# SPDX-License-Identifier: Apache-2.0
"""What is asked and what is found: checked once, arrays ever after.

A code in memory is a row of big-endian 64-bit words, the last padded with zeros on the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.errors import MalformedBatchError, MalformedHashError
from matching.signals import Signal

HEX = b"0123456789abcdef"


@dataclass(frozen=True, eq=False)
class Part:
    """The codes of one signal in a request.

    Attributes:
        signal: what kind of codes.
        codes: uint64 ``(n, signal.words)``.
        items: uint32 ``(n,)``, the number of the item each code belongs to.
        derivations: uint8 ``(n,)``, how each code was derived from its item; 0 = plain.
    """

    signal: Signal
    codes: NDArray[np.uint64]
    items: NDArray[np.uint32]
    derivations: NDArray[np.uint8]

    def __post_init__(self) -> None:
        rows = len(self.codes)
        if self.codes.shape != (rows, self.signal.words):
            raise MalformedBatchError(f"{self.signal.name}: codes must be (n, words)")
        if self.items.shape != (rows,) or self.derivations.shape != (rows,):
            raise MalformedBatchError(f"{self.signal.name}: one item and derivation a code")


@dataclass(frozen=True, eq=False)
class Batch:
    """One request: codes of several signals that belong to numbered items.

    Attributes:
        parts: at most one a signal.
        items: number of items in the request; item numbers are below it.
    """

    parts: tuple[Part, ...]
    items: int

    def __post_init__(self) -> None:
        if len({part.signal.name for part in self.parts}) != len(self.parts):
            raise MalformedBatchError("one part a signal")
        for part in self.parts:
            # Most requests ask one code, for which an array operation is a detour.
            if max(part.items.tolist(), default=-1) >= self.items:
                raise MalformedBatchError("an item number is beyond the number of items")

    @staticmethod
    def parse(signal: Signal, texts: Sequence[str]) -> "Batch":
        """Make a batch of plain codes of one signal; item i is row i.

        Raises:
            MalformedHashError: A text is no code of the signal; its ``index`` says which.
        """
        codes = parse_codes(signal, texts)
        items = np.arange(len(codes), dtype=np.uint32)
        return Batch((Part(signal, codes, items, np.zeros(len(codes), np.uint8)),), len(codes))


@dataclass(frozen=True, eq=False)
class Hits:
    """What was found: one row for each (item, indicator, signal), the best of its codes.

    Rows are ordered by item; within an item plain against plain comes before derived, then the
    nearest, then the oldest indicator.

    Attributes:
        item: uint32, number of the item in the request.
        indicator: uint64, internal key.
        signal: uint8, index in the order of signals.
        distance: uint16, bits.
        asked: uint8, derivation of the code asked with.
        stored: uint8, derivation of the code stored.
        truncated: bool ``(items,)``, whether a cap hid further indicators of that item.
        timeline: history of the state that was searched.
        position: position of the state that was searched.
    """

    item: NDArray[np.uint32]
    indicator: NDArray[np.uint64]
    signal: NDArray[np.uint8]
    distance: NDArray[np.uint16]
    asked: NDArray[np.uint8]
    stored: NDArray[np.uint8]
    truncated: NDArray[np.bool_]
    timeline: str = ""
    position: int = 0

    def __len__(self) -> int:
        return len(self.item)


def parse_codes(signal: Signal, texts: Sequence[str]) -> NDArray[np.uint64]:
    """Read many codes at once, each as strictly as `Signal.parse`.

    Returns:
        uint64 ``(n, signal.words)``, of its own memory.

    Raises:
        MalformedHashError: A text is no code of the signal; its ``index`` names the first.
    """
    try:
        joined = "".join(texts).encode("ascii")
    except (TypeError, UnicodeEncodeError):
        raise _first_malformed(signal, texts) from None
    lengths_agree = set(map(len, texts)) <= {signal.width * 2}
    # bytes.fromhex alone would take upper case and skip white space.
    if not lengths_agree or joined.translate(None, HEX):
        raise _first_malformed(signal, texts)
    return words_of(signal, bytes.fromhex(joined.decode("ascii")))


def words_of(signal: Signal, codes: bytes) -> NDArray[np.uint64]:
    """Turn ``n * signal.width`` big-endian bytes into uint64 ``(n, signal.words)``.

    Raises:
        MalformedBatchError: The length is no multiple of the signal's width.
    """
    rows, rest = divmod(len(codes), signal.width)
    if rest:
        raise MalformedBatchError(f"{signal.name}: {len(codes)} bytes are no whole codes")
    if signal.width % 8 == 0:
        # As most are: then the words lie there already.
        return np.frombuffer(codes, ">u8").astype(np.uint64).reshape(rows, signal.words)
    padded = np.zeros((rows, signal.words * 8), np.uint8)
    padded[:, : signal.width] = np.frombuffer(codes, np.uint8).reshape(rows, signal.width)
    return padded.view(">u8").astype(np.uint64)


def bytes_of(signal: Signal, codes: NDArray[np.uint64]) -> bytes:
    """Turn uint64 ``(n, signal.words)`` back into ``n * signal.width`` big-endian bytes."""
    padded = np.ascontiguousarray(codes.astype(">u8")).view(np.uint8)
    return padded.reshape(len(codes), signal.words * 8)[:, : signal.width].tobytes()


def _first_malformed(signal: Signal, texts: Sequence[str]) -> MalformedHashError:
    index = next(index for index, text in enumerate(texts) if not _parses(signal, text))
    return MalformedHashError(signal.name, signal.width * 2, index)


def _parses(signal: Signal, text: str) -> bool:
    try:
        signal.parse(text)
    except MalformedHashError:
        return False
    return True
