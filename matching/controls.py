# SPDX-License-Identifier: Apache-2.0
"""Codes whose answer is known beforehand: an index that gets one wrong is not to be believed.

They are made from a constant with SHA-256 and belong to nobody: *known* ones stand in every
snapshot under label 1, *unknown* ones are never stored, *probes* are switched on and off by the
hub's prober. For PDQ each has exactly 128 ones, as a true PDQ hash has.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matching.batches import Batch, Part, words_of
from matching.ports import CONTROLS, Chunk
from matching.signals import PDQ, Signal

Kind = Literal["known", "unknown", "probe"]
COUNTS: dict[Kind, int] = {"known": 2, "unknown": 2, "probe": 64}
# For followers that keep an engine of their own; the hub takes a key of its own table.
INDICATOR = (1 << 63) - 1


@cache
def control_codes(signal: Signal, kind: Kind) -> bytes:
    """Return the fixed codes of a kind: ``COUNTS[kind] * signal.width`` bytes."""
    return b"".join(_code(signal, kind, number) for number in range(COUNTS[kind]))


def control_chunks(signals: Iterable[Signal], indicator: int = INDICATOR) -> list[Chunk]:
    """Return the rows that a snapshot must hold for the controls to pass, one chunk a signal."""
    return [_chunk(signal, indicator) for signal in signals]


@cache
def control_batch(signals: tuple[Signal, ...]) -> tuple[Batch, NDArray[np.bool_]]:
    """Return a request for controls, and which of its items must have a hit.

    For each signal: known codes, known codes changed in just as many bits as still match, the
    same in one bit more, and unknown codes.
    """
    parts, expected, items = [], [], 0
    for signal in signals:
        codes, found = _questions(signal)
        numbers = np.arange(items, items + len(codes), dtype=np.uint32)
        parts.append(Part(signal, codes, numbers, np.zeros(len(codes), np.uint8)))
        expected.append(found)
        items += len(codes)
    return Batch(tuple(parts), items), np.concatenate([*expected, np.zeros(0, np.bool_)])


def _questions(signal: Signal) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    known = control_codes(signal, "known")
    questions = [
        (known, True),
        (_changed(signal, known, signal.near), True),
        (_changed(signal, known, signal.near + 1), False),
        (control_codes(signal, "unknown"), False),
    ]
    codes = [words_of(signal, codes) for codes, _ in questions]
    expected = [np.full(len(c), found) for c, (_, found) in zip(codes, questions, strict=True)]
    return np.concatenate(codes), np.concatenate(expected)


def _chunk(signal: Signal, indicator: int) -> Chunk:
    codes = words_of(signal, control_codes(signal, "known"))
    rows = len(codes)
    return Chunk(
        signal.name,
        codes,
        np.full(rows, indicator, np.uint64),
        np.full(rows, CONTROLS, np.uint32),
    )


def _code(signal: Signal, kind: Kind, number: int) -> bytes:
    seed = f"breakwater/control/1/{signal.name}/{kind}/{number}"
    if signal != PDQ:
        return sha256(seed.encode()).digest()[: signal.width]
    shuffled = sorted(
        range(signal.bits), key=lambda bit: sha256(f"{seed}/{bit}".encode()).digest()
    )
    value = sum(1 << bit for bit in shuffled[: signal.bits // 2])
    return value.to_bytes(signal.width, "big")


def _changed(signal: Signal, codes: bytes, bits: int) -> bytes:
    """Flip the first bits of each code."""
    mask = ((1 << bits) - 1) << (signal.bits - bits)
    width = signal.width
    values = [int.from_bytes(codes[i : i + width], "big") for i in range(0, len(codes), width)]
    return b"".join((value ^ mask).to_bytes(width, "big") for value in values)
