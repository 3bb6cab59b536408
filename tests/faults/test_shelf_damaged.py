# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with a file of the shelf: refused, never answered from, made anew."""

import shutil
from dataclasses import replace
from hashlib import sha256

import orjson
import pytest

from matching.engine import Engine
from matching.errors import CorruptIndexError, DigestError
from matching.freshness import Why
from matching.ports import Total
from matching.search.table import State
from matching.shelves import files
from matching.shelves.folder import FolderShelf
from matching.signals import PDQ
from tests.fakes.changes import plain
from tests.faults import shelves


@pytest.fixture(scope="module")
def feed():
    feed = shelves.truth()
    feed.change(2, 3, (plain(PDQ.name, shelves.code(700)),))
    return feed


@pytest.fixture(scope="module")
def whole(feed, tmp_path_factory):
    """A folder with a base of one segment with an overlay and one without."""
    folder = tmp_path_factory.mktemp("shelf") / "index"
    engine = shelves.engine_on(folder)
    engine.load(feed.snapshot())
    for number in range(800, 803):
        shelves.add(feed, number)
    shelves.relabel(feed, 2, 5)
    engine.apply(feed.after(engine.position, 100))
    engine.fold()
    assert {path.suffix for path in folder.iterdir()} == {".segment", ".overlay", ""}
    assert len(list(folder.glob("*.segment"))) == 2
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    copy = tmp_path / "index"
    shutil.copytree(whole, copy)
    return copy


def paths(folder):
    return sorted(path for path in folder.iterdir() if path.name != "building")


def refuses(folder):
    shelf = FolderShelf(folder)
    return shelf.latest() is None and not shelf.published() and shelf.latest() is None


def mended(folder, feed):
    """A process starts, and answers from the truth; then another one finds a base."""
    engine = shelves.engine_on(folder)
    follower = shelves.follower_of(engine, feed)
    assert not follower.freshness().complete
    follower.step(0)
    assert follower.freshness().complete
    shelves.check(engine, feed)
    shelves.check_opens(folder, feed, len(feed.changes))


def with_byte(path, place, mask=1):
    data = bytearray(path.read_bytes())
    data[place] ^= mask
    path.write_bytes(data)


def test_a_whole_one_is_not_refused(folder, feed):
    assert not refuses(folder)
    shelves.check_opens(folder, feed, len(feed.changes))


@pytest.mark.parametrize("kind", ["base", ".segment", ".overlay"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(folder, kind, share):
    path = next(path for path in paths(folder) if path.name.endswith(kind))
    data = path.read_bytes()

    path.write_bytes(data[: int(len(data) * share)])

    assert refuses(folder)


@pytest.mark.parametrize("kind", [".segment", ".overlay"])
def test_one_bit_turned_in_or_between_or_behind_the_arrays_is_refused(folder, kind):
    for path in [path for path in paths(folder) if path.name.endswith(kind)]:
        whole = path.read_bytes()
        _, arrays = files.opened(path)
        places = [whole.index(array.tobytes()) for array in arrays.values() if array.size]
        ends = [whole.index(array.tobytes()) + array.nbytes for array in arrays.values()]
        places += [end for end in ends if end % files.ALIGNED]
        places += [len(whole) - back for back in (1, 9, 17, 49, 52, 60, 80)]
        for place in places:
            with_byte(path, place, 0x10)
            with pytest.raises(CorruptIndexError):
                files.opened(path)
            assert refuses(folder), place
            path.write_bytes(whole)
    assert not refuses(folder)


def test_one_bit_turned_anywhere_in_the_list_is_refused(folder):
    path = folder / "base"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        with_byte(path, place)
        assert refuses(folder), place
        path.write_bytes(whole)


def test_a_file_of_a_machine_of_another_byte_order_is_refused(folder):
    path = next(folder.glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[-16:-8] = data[-16:-8][::-1]
    path.write_bytes(data)

    with pytest.raises(CorruptIndexError, match="byte order"):
        files.opened(path)
    assert refuses(folder)


def rewritten(folder, **fields):
    """The list with other words in it, as another program would seal it."""
    path = folder / "base"
    told = {**orjson.loads(path.read_bytes()[64:]), **fields}
    body = orjson.dumps(told)
    path.write_bytes(sha256(body).hexdigest().encode() + body)
    return told


def test_a_list_of_another_version_is_refused(folder):
    assert rewritten(folder)["version"] == 1
    assert not refuses(folder)

    rewritten(folder, version=2)

    assert refuses(folder)


@pytest.mark.parametrize(
    "tables",
    [
        {"pdq": {"pieces": []}},
        {"pdq": {"total": [5, 5], "pieces": []}},
        {"a signal of later": {"total": [0, 0], "pieces": []}},
        {"pdq": None},
    ],
    ids=["no total", "wrong total", "unknown signal", "nothing"],
)
def test_a_list_that_says_something_else_is_refused(folder, tables):
    rewritten(folder, tables=tables)

    assert refuses(folder)


def test_a_segment_of_another_signal_is_refused(folder):
    told = rewritten(folder)["tables"]

    rewritten(folder, tables={"pdq": told["pdq"], "phash": told["pdq"]})

    assert refuses(folder)


def test_a_folder_that_is_deleted_while_it_is_used_is_made_anew(folder, feed):
    engine = shelves.engine_on(folder)
    shelves.follower_of(engine, feed).step(0)
    assert not engine.is_due

    shutil.rmtree(folder)

    shelves.check(engine, feed)
    assert engine.is_due
    assert engine.fold()
    shelves.check(engine, feed)
    shelves.check_opens(folder, feed, len(feed.changes))


@pytest.mark.parametrize("kind", [".segment", ".overlay"])
def test_a_list_that_names_a_missing_file_is_refused_once_and_made_anew(folder, feed, kind):
    next(folder.glob(f"*{kind}")).unlink()

    assert refuses(folder)
    mended(folder, feed)


def test_an_empty_list_is_refused_and_made_anew(folder, feed):
    (folder / "base").write_bytes(b"")

    assert refuses(folder)
    mended(folder, feed)


@pytest.mark.parametrize("place", [0, 100, -100])
@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_segment_is_made_anew(folder, feed, which, place):
    with_byte(sorted(folder.glob("*.segment"))[which], place)

    mended(folder, feed)


def test_what_is_damaged_while_it_is_searched_is_noticed_by_the_next_merge(tmp_path):
    # Given a segment of which a bit turns after it was opened,
    feed, folder = shelves.truth(), tmp_path / "index"
    engine, clock = shelves.engine_on(folder), shelves.Clock()
    follower = shelves.follower_of(engine, feed, clock)
    follower.step(0)
    [path] = folder.glob("*.segment")
    with path.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)[0]
        file.seek(100)
        file.write(bytes([byte ^ 1]))

    # when it is to be merged,
    for number in range(1_000, 1_200):
        shelves.add(feed, number)
    clock.pass_(1)
    follower.step(0)
    with pytest.raises(DigestError):
        engine.fold()

    # then it is not answered from any more, and everything is read anew.
    follower.step(0)
    assert follower.freshness().why is Why.REBUILDING
    clock.pass_(1)
    follower.step(0)
    assert follower.freshness().complete
    shelves.check(engine, feed)
    shelves.check_opens(folder, feed, len(feed.changes))


class Offered:
    """A shelf on which somebody has put a base."""

    def __init__(self, shelf):
        self.shelf, self.base = shelf, None

    def latest(self):
        base, self.base = self.base, None
        return base

    def __getattr__(self, name):
        return getattr(self.shelf, name)


class World:
    """A follower whose shelf offers what a test puts there."""

    def __init__(self, feed, folder):
        self.shelf, self.feed = Offered(FolderShelf(folder)), feed
        self.engine = Engine([PDQ], shelf=self.shelf)
        self.reloads = 0
        self.clock = shelves.Clock()
        self.follower = shelves.follower_of(
            self.engine, feed, self.clock, on_reload=self._reloaded
        )
        self.follower.step(0)

    def _reloaded(self):
        self.reloads += 1

    def offer(self, base, turns=2):
        self.shelf.base = base
        for _ in range(turns):
            self.clock.pass_(1)
            self.follower.step(0)


def base_of(feed, timeline="t", position=None, totals=None):
    """A base as another process would publish it."""
    other = Engine([PDQ])
    other.load(feed.snapshot())
    state = other.state
    tables = {
        name: replace(table, total=totals or table.total) for name, table in state.tables.items()
    }
    return State(timeline, position or state.position, tables)


def test_a_base_behind_is_taken_with_what_came_after(tmp_path):
    world = World(shelves.truth(), tmp_path)
    shelves.add(world.feed, 1_000)
    base = base_of(world.feed)
    shelves.add(world.feed, 1_001)
    world.follower.step(0)

    world.offer(base)

    assert world.reloads == 1
    assert world.engine.state.tables["pdq"].pieces == base.tables["pdq"].pieces
    shelves.check(world.engine, world.feed)


def test_a_base_ahead_waits_until_the_changes_have_come(tmp_path):
    world = World(shelves.truth(), tmp_path)
    shelves.add(world.feed, 1_000)
    base = base_of(world.feed)
    del world.feed.changes[-1]
    world.offer(base)
    pieces = world.engine.state.tables["pdq"].pieces
    assert pieces != base.tables["pdq"].pieces
    assert world.engine.position == base.position - 1

    world.feed.rows.pop(1_000)
    shelves.add(world.feed, 1_000)
    world.offer(None)

    assert world.engine.state.tables["pdq"].pieces == base.tables["pdq"].pieces
    shelves.check(world.engine, world.feed)


def test_a_base_of_another_history_or_older_than_ours_is_left_alone(tmp_path):
    world = World(shelves.truth(), tmp_path)
    shelves.add(world.feed, 1_000)
    old = base_of(world.feed, position=1)
    new = base_of(world.feed)
    world.offer(None)
    world.offer(new)
    pieces = world.engine.state.tables["pdq"].pieces

    world.offer(base_of(world.feed, timeline="another"))
    world.offer(old)

    assert world.reloads == 1
    assert world.engine.state.tables["pdq"].pieces == pieces == new.tables["pdq"].pieces
    shelves.check(world.engine, world.feed)


def test_a_base_that_counts_wrong_is_not_gone_on_from(tmp_path):
    world = World(shelves.truth(), tmp_path)

    world.offer(base_of(world.feed, totals=Total(1, 1)), turns=1)

    assert not world.follower.freshness().complete
    assert world.follower.freshness().why is Why.REBUILDING
    world.offer(None)
    assert world.follower.freshness().complete
    assert world.reloads == 2
    shelves.check(world.engine, world.feed)
