# SPDX-License-Identifier: Apache-2.0
"""The smallest relay there can be: it carries a feed into a store."""

from matching.ports import ChangeFeed, CodeStore, EntryId


class Relay:
    """Carries what a feed holds into a store, one turn at a time."""

    def __init__(self, feed: ChangeFeed, store: CodeStore) -> None:
        self._feed = feed
        self._store = store

    def turn(self, *, beat: bool = True) -> None:
        """Write a checkpoint where there is none of ours; append what is missing; beat."""
        head = self._feed.head()
        pointer = self._store.pointer()
        if pointer is None or pointer.timeline != head.timeline:
            pointer = self._store.write(self._feed.snapshot())
        end = self._store.last() or EntryId(pointer.position, 0)
        changes = self._feed.after(end.position, 10_000)
        self._store.append(changes, timeline=head.timeline)
        if beat:
            self._store.beat(self._feed.head())
