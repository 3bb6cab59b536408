# SPDX-License-Identifier: Apache-2.0
"""What a log costs as it grows: to append to it, to sign what it is, to prove what is in it.

Its entries are synthetic; what they are kept in is the hub's own: its tables in SQLite, its tiles,
its frontier, each batch in a commit as the hub does it. What counts is processor time of the one
thread: the machine may be shared.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measures import Measure, at_most
from bench.stage import Stage
from federation.keys import MemorySigner
from federation.log.merkle import folded, leaf_hash, verify_consistency, verify_inclusion
from federation.log.proofs import consistency_proof, full_subtrees, inclusion_proof
from federation.log.tiles import reading
from federation.operations.leaves import Kind, entry
from federation.publishing import LogKeys, checkpoint, grown
from hub.adapters import clock
from hub.adapters.secrets import load_keys
from hub.domain.changes import SYSTEM
from hub.ports.exchange import Leaf, OwnLog
from hub.services.exchange.serving import tiles_of
from hub.settings import Settings
from hub.storage import schema
from hub.storage.work import SqlBegin
from hub.wiring import open_database

ORIGIN, SOURCE = "hub-a.example/fed/1", "hub-a.example"
FLAT = 2
"""What is flat takes at most so many times as long in the longest log as in the shortest."""
APPENDED, ROUNDS = 500, 60
"""Entries of an append, as many as the hub says together; and how often each thing is timed."""
LAID = 25_600
"""Entries of a commit while the log is made long."""
NAMES = {
    "append": f"append {APPENDED} entries",
    "checkpoint": "sign a checkpoint",
    "consistency": "prove that it continues a shorter one",
    "inclusion": "prove that an entry is in it",
}


@dataclass(frozen=True)
class Costs:
    """Milliseconds that each thing takes, the median of some."""

    append: float
    checkpoint: float
    consistency: float
    inclusion: float


@dataclass
class LongLog:
    """A hub's own log that grows."""

    begin: SqlBegin
    keys: LogKeys

    def lay(self, size: int) -> None:
        """Let it grow to *size* entries."""
        while (missing := size - self.opened().size) > 0:
            self.append(min(LAID, missing))

    def opened(self) -> OwnLog:
        """What it is now."""
        with self.begin.reading() as work:
            return work.logs.open(ORIGIN)

    def append(self, count: int) -> float:
        """Add entries in one commit; returns milliseconds, without making the entries."""
        with self.begin.reading() as work:
            start = work.logs.open(ORIGIN).size
        leaves = [_leaf(index) for index in range(start, start + count)]
        began = time.thread_time()
        with self.begin.reading() as work:
            log = work.logs.open(ORIGIN)
            edge = work.logs.edge(log)
        growth = grown(log.frontier, edge, [_entry(one) for one in leaves])
        with self.begin.writing(SYSTEM) as work:
            work.logs.append(log, [one.index + 1 for one in leaves], leaves, growth)
            work.commit()
        return _since(began)

    def checkpoint(self, _number: int) -> float:
        """Sign what it is, and show that; returns milliseconds."""
        began = time.thread_time()
        log = self.opened()
        note = checkpoint(log.frontier, self.keys, int(time.time()))
        with self.begin.writing(SYSTEM) as work:
            work.logs.show(log, note.encoded(), log.size)
            work.commit()
        return _since(began)

    def consistency(self, number: int) -> float:
        """Prove that it continues a shorter one, and verify that; returns milliseconds."""
        began = time.thread_time()
        with self.begin.reading() as work:
            log = work.logs.open(ORIGIN)
            old = log.size * (number + 1) // (ROUNDS + 2)
            proof = consistency_proof(old, log.size, reading(log.size, tiles_of(log, work)))
        took = _since(began)
        verify_consistency(old, self._root(old), log.size, log.frontier.root(), proof)
        return took

    def inclusion(self, number: int) -> float:
        """Prove that an entry is in it, and verify that; returns milliseconds."""
        began = time.thread_time()
        with self.begin.reading() as work:
            log = work.logs.open(ORIGIN)
            index = (number * 7_919_777) % log.size
            proof = inclusion_proof(index, log.size, reading(log.size, tiles_of(log, work)))
        took = _since(began)
        leaf = leaf_hash(_entry(_leaf(index)))
        verify_inclusion(index, log.size, leaf, proof, log.frontier.root())
        return took

    def costs(self) -> Costs:
        """What each thing costs at this length."""
        return Costs(
            append=median(self.append(APPENDED) for _ in range(ROUNDS)),
            checkpoint=median(map(self.checkpoint, range(ROUNDS))),
            consistency=median(map(self.consistency, range(ROUNDS))),
            inclusion=median(map(self.inclusion, range(ROUNDS))),
        )

    def _root(self, size: int) -> bytes:
        """The hash that it had when it had so many entries."""
        with self.begin.reading() as work:
            log = work.logs.open(ORIGIN)
            read = reading(log.size, tiles_of(log, work))
            return folded(read(list(full_subtrees(0, size))))


def measure(stage: Stage) -> Iterator[Measure]:
    """Let a log grow, and time each thing at each length."""
    found: dict[int, Costs] = {}
    with empty_log(stage.folder / "long-log") as log:
        for size in stage.leaves:
            stage.tell(f"a log of {size:,} entries")
            log.lay(size)
            found[size] = log.costs()
    shortest, longest = min(found), max(found)
    for name, told in NAMES.items():
        few, many = (getattr(found[size], name) for size in (shortest, longest))
        what = f"log, {told}: {longest:,} entries / {shortest:,}"
        yield Measure(what, many / few, "times", at_most(FLAT))
        for size, costs in found.items():
            yield Measure(f"log, {told} at {size:,}", getattr(costs, name), "ms")


@contextmanager
def empty_log(folder: Path) -> Iterator[LongLog]:
    """A hub's database with nothing in it."""
    folder.mkdir(mode=0o700)
    settings = Settings.read({"BREAKWATER_DATA": str(folder)})
    log, beat = (MemorySigner(bytes([number]) * 32) for number in (1, 2))
    keys = LogKeys(ORIGIN, log, f"{SOURCE}/beat", beat)
    with closing(open_database(settings)) as opened:
        schema.upgrade(opened, clock.new_id)
        sealer = load_keys(settings.data).sealer
        yield LongLog(SqlBegin(opened, clock=clock.now, sealer=sealer), keys)


def _leaf(index: int) -> Leaf:
    """A synthetic entry, the same whenever it is asked for."""
    name = hashlib.sha256(index.to_bytes(8, "big")).digest()
    return Leaf(index, Kind.OWN, SOURCE, name, None, keep=0, is_revoke=False)


def _entry(leaf: Leaf) -> bytes:
    return entry(leaf.kind, leaf.id.hex(), leaf.source)


def _since(began: float) -> float:
    return 1000 * (time.thread_time() - began)
