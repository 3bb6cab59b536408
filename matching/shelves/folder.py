# SPDX-License-Identifier: Apache-2.0
"""Segments in a folder that all processes of a machine map: one copy, however many they are.

- ``base``: which segments make up the base, with position and totals; swung by a rename.
- ``<signal>-<16 hex>.segment``: rows and their index; never changed.
- ``<signal>-<16 hex>.overlay``: labels that rows of a segment were given since.
- ``cleared``: no base from before this position is taken; see `FolderShelf.clear`.
- ``building``: locked by the one process that builds.

Names are random and never used twice, so whoever still reads files of an older base is not
disturbed by a newer one, and files that no base names are litter of somebody who died.
"""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

import orjson

from matching.digests import MASK
from matching.errors import CorruptIndexError
from matching.ports import Chunk, Head, Total
from matching.search.crowds import crowds
from matching.search.overlay import NOTHING, Overlay
from matching.search.packing import fixed
from matching.search.plan import Plan
from matching.search.recent import Recent
from matching.search.segment import Segment, packed
from matching.search.table import Piece, State, Table
from matching.shelves import files
from matching.signals import SIGNALS, Signal

log = logging.getLogger(__name__)

VERSION = 1
TRIES = 9  # to open a base of which files go away meanwhile, because another one is published
_DIGEST = 64

Identity: TypeAlias = tuple[int, int]


def _nothing(_step: str) -> None:
    """Nobody asks what is written."""


class FolderShelf:
    """A `Shelf` in a folder; made where it is not there.

    Args:
        folder: on a local disk.
        step: told before each step of writing; tests end it there.
    """

    def __init__(self, folder: Path, step: Callable[[str], None] = _nothing) -> None:
        self.folder, self._step = folder, step
        self._make_folder()
        self._base, self._cleared = folder / "base", folder / "cleared"
        self._seen: Identity | None = None
        self._refused: Identity | None = None
        self._held: Mapping[str, Segment] = {}

    @contextmanager
    def building(self, patience: float) -> Iterator[bool]:
        """Let one builder at a time in, of all processes."""
        try:
            self._make_folder()
            lock = (self.folder / "building").open("wb")
        except OSError as error:
            # Nothing can be built here; that keeps nobody from answering.
            log.warning("nothing can be built: %s", type(error).__name__)
            yield False
            return
        with lock:
            yield _locked(lock.fileno(), time.monotonic() + patience)

    def make(self, signal: Signal, rows: Chunk, plan: Plan) -> Segment:
        """Write a segment, and map it."""
        name = f"{signal.name}-{token_hex(8)}.segment"
        about = {"signal": signal.name, "plan": [plan.words, plan.parts, plan.width, plan.riders]}
        arrays = packed(rows, plan, crowds(fixed(rows.codes), plan))
        files.write(self.folder / name, about, arrays, self._step)
        return self._segment(name)

    def publish(self, base: State) -> None:
        """Write what the base is made of under a name of its own, then rename it."""
        self._refused = _there(self._base)  # whatever comes of this, that one is to be replaced
        size = sum(segment.bytes for segment in _segments(base).values())
        with self._nothing_left():
            tables = {name: self._told(table) for name, table in base.tables.items()}
            draft = self._draft(base, tables, size)
            mine = _there(draft)
            self._step("swing")
            self._refuse_if_lacking(base)
            draft.rename(self._base)
        if not self.takes(Head(base.timeline, base.position)):
            # Whoever cleared has looked for a base before this one was there.
            self._empty()
            raise OSError(errno.ESTALE, "a base from before something was erased")
        # What we have made ourselves need not be opened again.
        self._seen, self._held = mine, _segments(base)
        self._step("folder")
        self._sync(size)
        self._step("sweep")
        self._sweep(
            {name for one in tables.values() for piece in one["pieces"] for name in piece[:2]}
        )

    def published(self) -> bool:
        """Tell whether there is a base, and not one that was refused."""
        there = _there(self._base)
        return there is not None and there != self._refused

    def has(self, segment: Segment) -> bool:
        """Tell whether its file is there; one in memory has none."""
        return bool(segment.name) and _there(self.folder / segment.name) is not None

    def latest(self) -> State | None:
        """Open the base, if it is another one than before."""
        for _ in range(TRIES):
            seen = None
            try:
                with self._base.open("rb") as file:
                    seen = _identity(file.fileno())
                    if seen == self._seen:
                        return None
                    base = self._opened(file.read())
            except (OSError, CorruptIndexError) as error:
                if seen != _there(self._base):
                    continue  # another one was published, and files of this one went away
                self._refuse(seen, error)
                return None
            self._seen = seen
            return base
        return None

    def takes(self, head: Head) -> bool:
        """Tell whether a position is not from before what was cleared in its history."""
        try:
            timeline, position = orjson.loads(self._cleared.read_bytes())
        except (OSError, ValueError):
            return True
        return bool(head.timeline != timeline or head.position >= position)

    def clear(self, head: Head) -> None:
        """Forget everything from before a position, unless that was done already."""
        if not self.takes(Head(head.timeline, head.position - 1)):
            return
        # First the mark, then the files: who builds meanwhile puts up the base, then looks for it.
        body = orjson.dumps([head.timeline, head.position])
        draft = self.folder / f".cleared-{token_hex(8)}"
        draft.write_bytes(body)
        draft.rename(self._cleared)
        self._empty()

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _empty(self) -> None:
        self._base.unlink(missing_ok=True)
        self._sweep(set())

    @contextmanager
    def _nothing_left(self) -> Iterator[None]:
        """Take back overlays that a failure leaves without a base; a full disk has no room."""
        before = set(self.folder.glob("*.overlay"))
        try:
            yield
        except OSError:
            for overlay in set(self.folder.glob("*.overlay")) - before:
                overlay.unlink(missing_ok=True)
            raise

    def _draft(self, base: State, tables: Mapping[str, Any], size: int) -> Path:
        """Write the list of segments under another name."""
        told = {"version": VERSION, "timeline": base.timeline, "position": base.position}
        body = orjson.dumps({**told, "tables": tables})
        self._step("base")
        draft = self.folder / ".base"
        with draft.open("wb") as file:
            file.write(sha256(body).hexdigest().encode() + body)
            file.flush()
            files.sync(file.fileno(), size)
        return draft

    def _refuse(self, seen: Identity | None, error: Exception) -> None:
        if seen is not None:
            log.warning("a base was refused: %s", error)
            self._seen = self._refused = seen

    def _refuse_if_lacking(self, base: State) -> None:
        if not all(map(self.has, _segments(base).values())):
            raise FileNotFoundError(errno.ENOENT, "a segment went away")

    def _sync(self, size: int) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            files.sync(descriptor, size)
        finally:
            os.close(descriptor)

    def _told(self, table: Table) -> dict[str, Any]:
        return {
            "total": [table.total.count, table.total.digest],
            "pieces": [
                [piece.segment.name, self._kept(piece), piece.total.count, piece.total.digest]
                for piece in table.pieces
            ],
        }

    def _kept(self, piece: Piece) -> str:
        """Write an overlay; the name of its file, or nothing."""
        if not len(piece.overlay):
            return ""
        name = f"{piece.segment.signal.name}-{token_hex(8)}.overlay"
        arrays = (("rows", piece.overlay.rows), ("labels", piece.overlay.labels))
        files.write(self.folder / name, {}, arrays, self._step)
        return name

    def _opened(self, data: bytes) -> State:
        body = data[_DIGEST:]
        if data[:_DIGEST].decode(errors="replace") != sha256(body).hexdigest():
            raise CorruptIndexError("the list of segments is damaged")
        told = orjson.loads(body)
        if told["version"] != VERSION:
            raise CorruptIndexError("the list of segments is of another version")
        try:
            tables = {name: self._table(name, table) for name, table in told["tables"].items()}
            base = State(told["timeline"], told["position"], tables)
        except (KeyError, TypeError, ValueError) as error:
            # Written as it was meant to be, by a program that means something else.
            raise CorruptIndexError("the list of segments is of another kind") from error
        self._held = _segments(base)
        return base

    def _table(self, signal: str, told: Mapping[str, Any]) -> Table:
        pieces = [
            Piece(self._segment(name), self._overlay(overlay), Total(count, digest))
            for name, overlay, count, digest in told["pieces"]
        ]
        known, total = SIGNALS[signal], Total(*told["total"])
        if any(piece.segment.signal is not known for piece in pieces) or _sum(pieces) != total:
            raise CorruptIndexError("the segments are not what the list says of them")
        return Table(known, tuple(pieces), Recent.none(known), total)

    def _segment(self, name: str) -> Segment:
        if name in self._held:
            return self._held[name]
        about, arrays = files.opened(self.folder / name)
        words, parts, width, riders = about["plan"]
        plan = Plan(words, parts, width, bool(riders))
        return Segment(SIGNALS[about["signal"]], plan, **arrays, name=name)

    def _overlay(self, name: str) -> Overlay:
        if not name:
            return NOTHING
        _, arrays = files.opened(self.folder / name)
        return Overlay(arrays["rows"], arrays["labels"])

    def _sweep(self, named: set[str]) -> None:
        for file in self.folder.iterdir():
            litter = file.suffix in {".segment", ".overlay"} and file.name not in named
            if litter:
                file.unlink(missing_ok=True)


def _segments(base: State) -> dict[str, Segment]:
    pieces = (piece for table in base.tables.values() for piece in table.pieces)
    return {piece.segment.name: piece.segment for piece in pieces}


def _sum(pieces: Iterable[Piece]) -> Total:
    totals = [piece.total for piece in pieces]
    return Total(sum(one.count for one in totals), sum(one.digest for one in totals) & MASK)


def _there(path: Path) -> Identity | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _identity(file: int) -> Identity:
    """What tells a file from any other that ever had its name."""
    stat = os.fstat(file)
    return stat.st_ino, stat.st_mtime_ns


def _locked(lock: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        except OSError as error:
            log.warning("nothing can be built: %s", type(error).__name__)
            return False
        else:
            return True
