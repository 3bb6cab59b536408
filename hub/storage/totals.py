# SPDX-License-Identifier: Apache-2.0
"""What a version does to the running count and digest of each signal.

Only rows that can be found count: label 0 is gone. The digest is the engine's own function, so
that
SQL, checkpoint and engine can be held against each other at equal positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hub.domain.changes import Delta
from hub.domain.indicators import Code
from hub.domain.sharing import GONE
from matching.batches import words_of
from matching.digests import MASK, row_digests, rows_digest
from matching.signals import INDEX, SIGNALS

FEW = 16
"""Up to so many indicators it is quicker to go through them one by one."""
_NOTHING = Delta(0, 0)


def total(key: int, label: int, codes: Iterable[Code]) -> dict[str, Delta]:
    """Count and digest, by signal, of an indicator's rows under a label."""
    if label == GONE:
        return {}
    by_signal: dict[str, list[Code]] = defaultdict(list)
    for code in codes:
        by_signal[code.signal].append(code)
    return {signal: _total(signal, key, label, rows) for signal, rows in by_signal.items()}


def totals(some: Sequence[tuple[int, int, Sequence[Code]]]) -> list[dict[str, Delta]]:
    """As ``total`` of each key, label and codes; together, as an array, where they are many."""
    if len(some) <= FEW:
        return [total(*one) for one in some]
    rows: dict[str, list[tuple[int, int, int, bytes]]] = defaultdict(list)
    for place, (key, label, codes) in enumerate(some):
        if label != GONE:
            for code in codes:
                tag = (code.derivation << 24) | label
                rows[code.signal].append((place, key, tag, code.value))
    found: list[dict[str, Delta]] = [{} for _ in some]
    for signal, all_of_it in rows.items():
        places, keys, tags, values = zip(*all_of_it, strict=True)
        words = words_of(SIGNALS[signal], b"".join(values))
        owners = np.array(keys, np.uint64)
        digests = row_digests(INDEX[signal], owners, np.array(tags, np.uint32), words)
        for place, digest in zip(places, digests.tolist(), strict=True):
            before = found[place].get(signal, _NOTHING)
            found[place][signal] = Delta(before.count + 1, (before.digest + digest) & MASK)
    return found


def difference(before: Mapping[str, Delta], after: Mapping[str, Delta]) -> dict[str, Delta]:
    """What takes *before* to *after*, for the signals that one of them touches."""
    return {
        signal: Delta(
            after.get(signal, _NOTHING).count - before.get(signal, _NOTHING).count,
            after.get(signal, _NOTHING).digest - before.get(signal, _NOTHING).digest,
        )
        for signal in before.keys() | after.keys()
    }


def _total(signal: str, key: int, label: int, rows: list[Code]) -> Delta:
    tags = np.array([(row.derivation << 24) | label for row in rows], np.uint32)
    words = words_of(SIGNALS[signal], b"".join(row.value for row in rows))
    owners = np.full(len(rows), key, np.uint64)
    return Delta(len(rows), rows_digest(INDEX[signal], owners, tags, words))
