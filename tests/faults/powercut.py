# SPDX-License-Identifier: Apache-2.0
"""A disk that remembers every write and every sync, so that its power can be cut at any point.

What was synced is there after a cut. Of what was written since, each write may be there, not be
there, or be there in part, sector by sector: a disk promises nothing else. Reads see everything
that was written, as the page cache does; that is why killing a process proves nothing of this.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apsw

SECTOR = 512
"""Bytes that a disk writes at once, or not at all."""


@dataclass(frozen=True)
class Write:
    """Bytes written to a file at a place."""

    file: str
    place: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    """A file cut off, or made longer."""

    file: str
    size: int


@dataclass(frozen=True)
class Delete:
    """A file that is gone."""

    file: str


@dataclass(frozen=True)
class Sync:
    """Everything written to a file so far is on the disk."""

    file: str


@dataclass(frozen=True)
class Mark:
    """Somebody was told something at this point."""

    told: object


class Disk:
    """Files in memory, and the journal of all that was done to them."""

    def __init__(self, **files):
        self.first = {name: bytes(content) for name, content in files.items()}
        self.files = {name: bytearray(content) for name, content in files.items()}
        self.journal = []

    def mark(self, told):
        """Note that somebody was told something now."""
        self.journal.append(Mark(told))

    def do(self, what):
        """Do something to a file, and remember it."""
        self.journal.append(what)
        _carry_out(what, self.files)

    def cuts(self, points, chance):
        """What is on the disk when the power fails after so many entries; for each, ascending."""
        durable = {name: bytearray(content) for name, content in self.first.items()}
        pending: dict[str, list[Any]] = {}
        done = 0
        for point in sorted(points):
            for entry in self.journal[done:point]:
                if isinstance(entry, Sync):
                    for one in pending.pop(entry.file, ()):
                        _carry_out(one, durable)
                elif not isinstance(entry, Mark):
                    pending.setdefault(entry.file, []).append(entry)
            done = point
            files = {name: bytearray(content) for name, content in durable.items()}
            for one in (one for some in pending.values() for one in some):
                _carry_out_perhaps(one, files, chance)
            yield point, files

    def told(self, point):
        """What somebody had been told by then."""
        return [entry.told for entry in self.journal[:point] if isinstance(entry, Mark)]


def _carry_out(what, files):
    content = files.setdefault(what.file, bytearray())
    if isinstance(what, Write):
        content.extend(bytes(max(0, what.place - len(content))))
        content[what.place : what.place + len(what.data)] = what.data
    elif isinstance(what, Truncate):
        del content[what.size :]
        content.extend(bytes(what.size - len(content)))
    elif isinstance(what, Delete):
        del files[what.file]


def _carry_out_perhaps(what, files, chance):
    fate = chance.choice(("whole", "none", "torn"))
    if fate == "whole":
        _carry_out(what, files)
    elif fate == "torn" and isinstance(what, Write):
        for start in range(0, len(what.data), SECTOR):
            if chance.random() < 0.5:
                part = what.data[start : start + SECTOR]
                _carry_out(Write(what.file, what.place + start, part), files)


class DiskVFS(apsw.VFS):
    """Lets SQLite keep its database and its log on a disk of ours."""

    def __init__(self, name, disk):
        self._disk = disk
        super().__init__(name, base="")

    def xFullPathname(self, name):  # noqa: N802  # SQLite's word
        """Names are as they are given."""
        return name

    def xAccess(self, path, _flags):  # noqa: N802  # SQLite's word
        """Whether there is such a file."""
        return path in self._disk.files

    def xDelete(self, path, _sync_folder):  # noqa: N802  # SQLite's word
        """Delete a file."""
        if path not in self._disk.files:
            raise apsw.IOError
        self._disk.do(Delete(path))

    def xOpen(self, name, flags):  # noqa: N802  # SQLite's word
        """Open a file; one without a name is for scratch and on no disk."""
        flags[1] = flags[0]
        if name is None:
            return DiskFile(Disk(), "scratch")
        return DiskFile(self._disk, name if isinstance(name, str) else name.filename())


class DiskFile:
    """One open file."""

    def __init__(self, disk, name):
        self._disk, self._name = disk, name
        disk.files.setdefault(name, bytearray())

    def xRead(self, amount, offset):  # noqa: N802  # SQLite's word
        """Read what was written, synced or not."""
        return bytes(self._disk.files[self._name][offset : offset + amount])

    def xWrite(self, data, offset):  # noqa: N802  # SQLite's word
        """Write."""
        self._disk.do(Write(self._name, offset, bytes(data)))

    def xTruncate(self, size):  # noqa: N802  # SQLite's word
        """Cut off."""
        self._disk.do(Truncate(self._name, size))

    def xSync(self, _flags):  # noqa: N802  # SQLite's word
        """Have it on the disk."""
        self._disk.journal.append(Sync(self._name))

    def xFileSize(self):  # noqa: N802  # SQLite's word
        """How long it is."""
        return len(self._disk.files[self._name])

    def xSectorSize(self):  # noqa: N802  # SQLite's word
        """As SQLite takes it to be on every system of today."""
        return 4096

    def xDeviceCharacteristics(self):  # noqa: N802  # SQLite's word
        """What SQLite assumes of every disk: bytes beside a torn write are unharmed."""
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xFileControl(self, _op, _pointer):  # noqa: N802  # SQLite's word
        """No wishes are known."""
        return False

    def xLock(self, _level):  # noqa: N802  # SQLite's word
        """Nobody else is here."""

    def xUnlock(self, _level):  # noqa: N802  # SQLite's word
        """Nobody else is here."""

    def xCheckReservedLock(self):  # noqa: N802  # SQLite's word
        """Nobody else is here."""
        return False

    def xClose(self):  # noqa: N802  # SQLite's word
        """Nothing to let go of."""


# -- the driver ----------------------------------------------------------------------------------


class Driver:
    """As much of Python's database API as SQLAlchemy's SQLite dialect asks for, over apsw."""

    paramstyle = "qmark"
    apilevel = "2.0"
    threadsafety = 1
    version_info = (3, 0)
    Binary = bytes
    Error = DatabaseError = InterfaceError = OperationalError = apsw.Error
    IntegrityError = apsw.ConstraintError
    ProgrammingError = InternalError = NotSupportedError = DataError = apsw.MisuseError
    sqlite_version = apsw.sqlite_lib_version()
    sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    PARSE_DECLTYPES = PARSE_COLNAMES = 0

    def __init__(self, connection, instead):
        self._connection = connection
        self._instead = instead
        self.replaced = 0
        """How often something was said instead of something else."""

    def connect(self, *_args, **_kwargs):
        """The one connection, which everybody shares: an exclusive lock allows no other."""
        return DriverConnection(self, self._connection)

    def said(self, statement):
        """What to say where the hub says *statement*."""
        self.replaced += statement in self._instead
        return self._instead.get(statement, statement)


class DriverConnection:
    """A connection."""

    isolation_level = None

    def __init__(self, driver, connection):
        self._driver = driver
        self._connection = connection

    def cursor(self):
        """A new cursor."""
        return DriverCursor(self._connection)

    def execute(self, statement, values=()):
        """Execute one statement."""
        return self.cursor().execute(self._driver.said(statement), values)

    def create_function(self, name, count, function, **how):
        """Make a function known to SQL."""
        self._connection.create_scalar_function(name, function, count, **how)

    def commit(self):
        """Commit, if there is what to commit."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self):
        """Roll back, if there is what to roll back."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self):
        """Stay open for the others; what was begun is rolled back."""
        self.rollback()


class DriverCursor:
    """A cursor, which has fetched everything already."""

    arraysize = 1

    def __init__(self, connection):
        self._connection = connection
        self.description, self.lastrowid, self.rowcount = None, None, -1
        self._rows: Iterator[Any] = iter(())

    def execute(self, statement, values=()):
        """Execute one statement."""
        cursor = self._connection.cursor()
        # Asked before the first row: afterwards an empty result has no columns any more.
        cursor.exec_trace = self._note_columns
        before = self._connection.total_changes()
        self._rows = iter(list(cursor.execute(statement, tuple(values))))
        self.rowcount = self._connection.total_changes() - before
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, statement, many):
        """Execute one statement with many values."""
        counted = [self.execute(statement, values).rowcount for values in many]
        self.rowcount = sum(counted)
        return self

    def fetchone(self):
        """The next row, or None."""
        return next(self._rows, None)

    def fetchmany(self, size=None):
        """The next rows."""
        return [row for _, row in zip(range(size or self.arraysize), self._rows, strict=False)]

    def fetchall(self):
        """All further rows."""
        return list(self._rows)

    def close(self):
        """Forget the rest."""
        self._rows = iter(())

    def _note_columns(self, cursor, _statement, _values):
        self.description = None
        with contextlib.suppress(apsw.ExecutionCompleteError):
            columns = cursor.get_description()
            self.description = tuple((one[0], *(None,) * 6) for one in columns) or None
        return True


@contextlib.contextmanager
def opened(disk, name, instead):
    """A driver whose one connection has *name* open on *disk*.

    *instead* replaces settings of the hub's by others.
    """
    vfs = DiskVFS(f"disk-{id(disk)}", disk)
    connection = apsw.Connection(name, vfs=f"disk-{id(disk)}")
    # The index of the log stays in memory then: it is no file that a cut could harm.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    # Folded often, so that cuts meet that too.
    connection.execute("PRAGMA wal_autocheckpoint=40")
    try:
        yield Driver(connection, instead)
    finally:
        connection.close(force=True)
        vfs.unregister()
