# SPDX-License-Identifier: Apache-2.0
"""Control rows as the truth holds them: known ones always, the prober's slots when they are on."""

from collections.abc import Iterable, Mapping

import numpy as np

from hub.domain.changes import Delta
from hub.domain.sharing import CONTROL
from matching.batches import words_of
from matching.controls import COUNTS, INDICATOR, control_chunks, control_codes
from matching.digests import rows_digest
from matching.ports import Chunk, Rows
from matching.signals import INDEX, ORDER, PDQ

SLOTS = COUNTS["probe"]


def slot_key(slot: int) -> int:
    """The reserved indicator key of a slot; no indicator in SQL ever has it."""
    return INDICATOR - 1 - slot


def slot_rows(slot: int) -> tuple[Rows, ...]:
    """The one row of a slot."""
    probes = control_codes(PDQ, "probe")
    return (Rows(PDQ.name, probes[slot * PDQ.width : (slot + 1) * PDQ.width], b"\0"),)


def slot_chunk(slot: int) -> Chunk:
    """The row of a slot that is on, as a snapshot holds it."""
    return Chunk(
        PDQ.name,
        words_of(PDQ, slot_rows(slot)[0].codes),
        np.array([slot_key(slot)], np.uint64),
        np.array([CONTROL], np.uint32),
    )


def slot_delta(slot: int, live: bool) -> Mapping[str, Delta]:  # noqa: FBT001 - a port's shape
    """What turning a slot on, or off, does to the totals."""
    whole = _sums([slot_chunk(slot)])[PDQ.name]
    return {PDQ.name: whole if live else Delta(-whole.count, -whole.digest)}


def known_totals() -> dict[str, list[object]]:
    """Count and digest of the controls that every snapshot holds, as the head row keeps them."""
    sums = _sums(control_chunks(ORDER))
    return {name: [one.count, f"{one.digest % 2**64:016x}"] for name, one in sums.items()}


def _sums(chunks: Iterable[Chunk]) -> dict[str, Delta]:
    return {
        chunk.signal: Delta(
            len(chunk.codes),
            rows_digest(INDEX[chunk.signal], chunk.indicators, chunk.tags, chunk.codes),
        )
        for chunk in chunks
    }
