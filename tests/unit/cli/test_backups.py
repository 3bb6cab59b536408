# SPDX-License-Identifier: Apache-2.0
"""A copy is one moment of the database, whole, and never put back when it is anything else."""

import itertools
import json
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from hub.cli import backups
from hub.cli.exits import CommandError, Exit

KEYS = {"pepper": "00", "sealing": "11", "receipts": "22"}


@pytest.fixture
def database(tmp_path):
    """A database with what a copy's manifest tells of, and some pages of ballast."""
    file = tmp_path / "hub.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(
            """
            PRAGMA journal_mode=WAL;
            CREATE TABLE head (timeline TEXT, position INTEGER);
            INSERT INTO head VALUES ('tl_first', 0);
            CREATE TABLE alembic_version (version_num TEXT);
            INSERT INTO alembic_version VALUES ('0001');
            CREATE TABLE ballast (position INTEGER, filler BLOB);
            """
        )
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO ballast VALUES (0, ?)", [(bytes(4000),)] * 6000)
        connection.execute("COMMIT")
    return file


def copied(database, name="copy", progress=lambda _done, _of: None):
    return backups.make_copy(database, database.with_name(name), KEYS, progress)


def test_copy_tells_its_history_and_is_for_its_owner_only(database):
    manifest = copied(database)

    copy = database.with_name("copy")
    assert (manifest.timeline, manifest.position, manifest.schema) == ("tl_first", 0, "0001")
    assert manifest.keys == KEYS
    for file in (copy, backups.manifest_of(copy)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert backups.checked(copy) == manifest
    assert not database.with_name("copy.part").exists()


class Forward:
    """Fails where a copy begins anew, as it would each time that somebody writes."""

    def __init__(self):
        self.done = -1

    def __call__(self, done, of):
        assert done >= self.done
        assert done <= of
        self.done = done


def test_copy_under_steady_writing_ends_and_is_one_moment(database):
    stop, written = threading.Event(), threading.Event()

    def write():
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as connection:
            for position in itertools.count(1):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE head SET position = ?", (position,))
                connection.execute("INSERT INTO ballast VALUES (?, ?)", (position, bytes(2000)))
                connection.execute("COMMIT")
                written.set()
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    written.wait()
    try:
        manifest = copied(database, progress=Forward())
    finally:
        stop.set()
        writer.join()

    with closing(sqlite3.connect(database.with_name("copy"))) as connection:
        (last,) = connection.execute("SELECT max(position) FROM ballast").fetchone()
        assert last == manifest.position > 0
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_progress_reaches_the_end_in_more_than_one_step(database):
    told = []

    copied(database, progress=lambda done, of: told.append((done, of)))

    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def damaged(copy):
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)


def shortened(copy):
    copy.write_bytes(copy.read_bytes()[:-1])


def without_manifest(copy):
    backups.manifest_of(copy).unlink()


def missing(copy):
    copy.unlink()


def other_format(copy):
    path = backups.manifest_of(copy)
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": "other/9"}))


def torn_manifest(copy):
    path = backups.manifest_of(copy)
    path.write_text(path.read_text()[:-10])


@pytest.mark.parametrize(
    "harm", [damaged, shortened, without_manifest, missing, other_format, torn_manifest]
)
def test_copy_that_is_not_what_its_manifest_says_is_refused(database, harm):
    copied(database)
    copy = database.with_name("copy")
    harm(copy)

    with pytest.raises(CommandError) as refused:
        backups.checked(copy)

    assert refused.value.exit_code == Exit.DATA


def test_damaged_database_gives_no_copy(database):
    with database.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)

    with pytest.raises(CommandError):
        copied(database)

    assert not database.with_name("copy").exists()
    assert not backups.manifest_of(database.with_name("copy")).exists()
    assert not database.with_name("copy.part").exists()


def test_draft_that_changed_on_the_way_is_refused(database):
    manifest = replace(copied(database), sha256="0" * 64)

    with pytest.raises(CommandError, match="changed"):
        backups.put_draft(database.with_name("copy"), manifest, database.with_name("draft"))


def test_what_was_there_is_moved_aside_whole(database):
    data = database.parent
    (data / "valkey").mkdir()
    (data / "valkey" / "file").write_text("kept")
    (data / "pepper.key").write_text("stays")

    aside = backups.move_aside(data, database)

    assert (aside / "hub.db").exists()
    assert (aside / "valkey" / "file").read_text() == "kept"
    assert (data / "pepper.key").exists()
    assert not database.exists()
    assert not (data / "valkey").exists()


def test_folded_database_is_one_file(database):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE head SET position = 5")
        connection.commit()

    backups.fold(database)

    assert not database.with_name("hub.db-wal").exists()
    with closing(sqlite3.connect(f"file:{database}?immutable=1", uri=True)) as connection:
        assert connection.execute("SELECT position FROM head").fetchone() == (5,)
