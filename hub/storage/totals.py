# SPDX-License-Identifier: Apache-2.0
"""What a version does to the running count and digest of each signal.

Only rows that can be found count: label 0 is gone. The digest is the engine's own function, so
that
SQL, checkpoint and engine can be held against each other at equal positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from hub.domain.changes import Delta
from hub.domain.indicators import Code
from hub.domain.sharing import GONE
from matching.batches import words_of
from matching.digests import rows_digest
from matching.signals import INDEX, SIGNALS


def total(key: int, label: int, codes: Iterable[Code]) -> dict[str, Delta]:
    """Count and digest, by signal, of an indicator's rows under a label."""
    if label == GONE:
        return {}
    by_signal: dict[str, list[Code]] = defaultdict(list)
    for code in codes:
        by_signal[code.signal].append(code)
    return {signal: _total(signal, key, label, rows) for signal, rows in by_signal.items()}


def difference(before: Mapping[str, Delta], after: Mapping[str, Delta]) -> dict[str, Delta]:
    """What takes *before* to *after*, for the signals that one of them touches."""
    nothing = Delta(0, 0)
    return {
        signal: Delta(
            after.get(signal, nothing).count - before.get(signal, nothing).count,
            after.get(signal, nothing).digest - before.get(signal, nothing).digest,
        )
        for signal in before.keys() | after.keys()
    }


def _total(signal: str, key: int, label: int, rows: list[Code]) -> Delta:
    tags = np.array([(row.derivation << 24) | label for row in rows], np.uint32)
    words = words_of(SIGNALS[signal], b"".join(row.value for row in rows))
    owners = np.full(len(rows), key, np.uint64)
    return Delta(len(rows), rows_digest(INDEX[signal], owners, tags, words))
