# SPDX-License-Identifier: Apache-2.0
"""Through the whole engine: several pieces with overlays, masks, caps and signals at once."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching import folding
from matching.batches import Batch, Part, words_of
from matching.engine import Engine
from matching.ports import Rows
from matching.search import segment as segments
from matching.search.exact import ExactSearch
from matching.search.plan import Plan
from matching.signals import PDQ, PHASH, SHA256
from tests.fakes.changes import FakeFeed
from tests.fakes.rows import agree

LABELS = 6
SIGNALS = (PDQ, PHASH, SHA256)


@dataclass
class World:
    """A truth of clusters of codes, changed and folded at random, and questions about it."""

    chance: np.random.Generator

    def __post_init__(self):
        self.feed = FakeFeed()
        self.centres = {signal: self.chance.bytes(signal.width) for signal in SIGNALS}

    def code(self, signal):
        """Most are near one of the centre, about as far as the radius reaches; some are alone."""
        if self.chance.random() < 0.2:
            return self.chance.bytes(signal.width)
        number = int.from_bytes(self.centres[signal])
        for place in self.chance.choice(signal.bits, self.chance.integers(signal.near + 1)):
            number ^= 1 << int(place)
        return number.to_bytes(signal.width)

    def rows(self):
        found = []
        for signal in SIGNALS:
            count = int(self.chance.integers(0, 4))
            codes = b"".join(self.code(signal) for _ in range(count))
            derivations = bytes(self.chance.choice([0, 0, 3], count).astype(np.uint8))
            found.append(Rows(signal.name, codes, derivations))
        return tuple(found)

    def change(self):
        indicator = int(self.chance.integers(1, 40))
        rows = self.rows() if self.chance.random() < 0.7 else None
        self.feed.change(indicator, int(self.chance.integers(0, LABELS)), rows)

    def question(self):
        parts, items = [], 8
        for signal in SIGNALS:
            codes = words_of(signal, b"".join(self.code(signal) for _ in range(items)))
            derivations = self.chance.choice([0, 0, 2], items).astype(np.uint8)
            parts.append(Part(signal, codes, np.arange(items, dtype=np.uint32), derivations))
        return Batch(tuple(parts), items)


def planner(seed):
    """Cut the codes of every segment at random."""
    chance = np.random.default_rng(seed)

    def plan(signal, _rows):
        parts = int(chance.integers(1, 20))
        width = int(chance.integers(1, 1 + min(10, 64 * signal.words // parts)))
        riders = signal.words > 1 and bool(chance.integers(2))
        return SimpleNamespace(plan=Plan(signal.words, parts, width, riders))

    return plan


@pytest.mark.parametrize("crowd", [0, 4_096])
def test_it_answers_as_brute_force_does(monkeypatch, crowd):
    monkeypatch.setattr(folding, "RATIO", 1)
    monkeypatch.setattr(folding, "LEAST_CHANGED", 60)
    monkeypatch.setattr(segments, "CROWD", crowd)
    pieces = [0]

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(0, 2**32),
        st.lists(st.integers(1, 60), min_size=1, max_size=5),
        st.integers(1, 4),
        st.integers(1, 20),
        st.lists(st.booleans(), min_size=LABELS, max_size=LABELS),
    )
    def check(seed, sizes, per_item, per_request, allowed):
        world = World(np.random.default_rng(seed))
        engine = Engine(SIGNALS, planner=planner(seed))
        engine.load(world.feed.snapshot())
        # Each time fewer changes than before: segments that are left as they are, with overlays.
        for size in sorted(sizes, reverse=True):
            for _ in range(size):
                world.change()
            engine.apply(world.feed.after(engine.position, 1_000))
            engine.fold()
        world.change()
        engine.apply(world.feed.after(engine.position, 1_000))
        pieces[0] = max(pieces[0], len(engine.state.tables[PDQ.name].pieces))

        exact, batch = ExactSearch(world.feed.chunks()), world.question()
        caps = {"per_item": per_item, "per_request": per_request}

        agree(engine, exact, batch, np.array(allowed), **caps)
        agree(engine, exact, batch, np.array(allowed), capped=False)

    check()
    assert pieces[0] > 1
