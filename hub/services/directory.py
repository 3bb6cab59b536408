# SPDX-License-Identifier: Apache-2.0
"""Keys, grants, sets and labels in a worker's memory, kept true by the stream.

A lookup asks no database who is asking: a revoked key is dead here as soon as its change arrives.
"""

import hmac
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

from hub.domain.access import key_mac, parsed_key
from hub.domain.changes import ACCESS
from hub.domain.sharing import LOOKUP, Asker, Key, SharingSet, visible_labels
from hub.ports import BeginWork, Clock
from matching.ports import Change


@dataclass(frozen=True)
class _State:
    keys: Mapping[str, Key]
    sets: Mapping[str, SharingSet]
    by_key: Mapping[int, SharingSet]
    labels: Mapping[int, frozenset[int]]
    labelled: Mapping[frozenset[int], int]
    """The same, looked up the other way."""
    masks: dict[frozenset[int], NDArray[np.bool_]] = field(default_factory=dict)


class Directory:
    """What a worker knows of everybody; replaced whole, so readers never wait."""

    def __init__(self, *, begin: BeginWork, pepper: bytes, clock: Clock) -> None:
        self._begin = begin
        self._pepper = pepper
        self._clock = clock
        self._lock = threading.Lock()
        self._state = _State({}, {}, {}, {}, {})
        self.position = 0
        """Every change up to here has been taken in."""

    def reload(self) -> None:
        """Read everything from SQL."""
        with self._lock:
            with self._begin.reading() as work:
                position = work.history.head().position
                known = work.directory.load()
            by_key = {one.key: one for one in known.sets.values()}
            self._state = _State(
                known.keys, known.sets, by_key, known.labels, _turned(known.labels)
            )
            self.position = max(position, self.position)

    def learn(self, changes: Sequence[Change]) -> None:
        """Take in what the stream brought: new labels from the change itself, access from SQL."""
        notes = [(change.label, orjson.loads(change.note)) for change in changes]
        if any(note["kind"] == ACCESS for _, note in notes):
            self.reload()
        labels = {
            label: frozenset(note["label_sets"]) for label, note in notes if "label_sets" in note
        }
        if labels.keys() - self._state.labels.keys():
            with self._lock:
                old = self._state
                all_labels = {**old.labels, **labels}
                self._state = _State(
                    old.keys, old.sets, old.by_key, all_labels, _turned(all_labels)
                )
        if changes:
            self.position = max(self.position, changes[-1].position)

    def asker(self, authorization: str | None) -> Asker | None:
        """Whose key this is; None for a missing, odd, unknown, revoked or expired one."""
        given = parsed_key(authorization)
        known = None if given is None else self._state.keys.get(given.id)
        # An unknown id takes as long as a wrong secret.
        mac = key_mac(self._pepper, given.secret if given else "")
        if known is None or not hmac.compare_digest(mac, known.mac):
            return None
        return known.asker if self._clock() < known.expires else None

    def mask(self, asker: Asker) -> NDArray[np.bool_]:
        """Which labels the asker may match, as bool ``(labels,)``."""
        state = self._state
        sets = frozenset(asker.sets_with(LOOKUP) & state.by_key.keys())
        mask = state.masks.get(sets)
        if mask is None:
            mask = np.zeros(max(state.labels, default=1) + 1, np.bool_)
            mask[list(visible_labels(state.labels, sets))] = True
            state.masks[sets] = mask
        return mask

    def label_of(self, sets: Iterable[int]) -> int | None:
        """The label of a combination of sets, once it was committed and heard of."""
        return self._state.labelled.get(frozenset(sets))

    def mask_of_all_sets(self) -> NDArray[np.bool_]:
        """Which labels touch any set at all."""
        state = self._state
        mask = np.zeros(max(state.labels, default=1) + 1, np.bool_)
        mask[list(visible_labels(state.labels, frozenset(state.by_key)))] = True
        return mask

    def set_named(self, public_id: str) -> SharingSet | None:
        """The set of that public id."""
        return self._state.sets.get(public_id)

    def set_keyed(self, key: int) -> SharingSet | None:
        """The set of that internal key."""
        return self._state.by_key.get(key)


def _turned(labels: Mapping[int, frozenset[int]]) -> dict[frozenset[int], int]:
    return {sets: label for label, sets in labels.items()}
