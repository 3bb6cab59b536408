# SPDX-License-Identifier: Apache-2.0
"""Copies of the SQLite database: made while the hub runs, checked before they are put back.

A copy comes with a manifest beside it, which says of which history it is and what its bytes are.
The keys are not in it; their fingerprints are, so that a copy is never put beside other keys.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub.cli.exits import CommandError, Exit

FORMAT = "breakwater-backup/1"
PAGES = 2048
"""Pages of 4 KiB copied between two looks at the progress bar."""
BLOCK = 1024 * 1024

Progress = Callable[[int, int], None]
"""Told what is done and what there is, in bytes."""


@dataclass(frozen=True)
class Manifest:
    """What stands beside a copy."""

    format: str
    made_at: str
    timeline: str
    position: int
    schema: str
    bytes: int
    sha256: str
    keys: dict[str, str]
    """Fingerprints of the keys that the copy was made beside."""


def manifest_of(copy: Path) -> Path:
    """Where the manifest of a copy lies."""
    return copy.with_name(copy.name + ".json")


def make_copy(source: Path, copy: Path, keys: dict[str, str], progress: Progress) -> Manifest:
    """Copy the database *source* as it is at this moment, whoever writes to it meanwhile.

    The copy appears whole or not at all, its manifest before it.

    Raises:
        OSError: The copy cannot be written.
        CommandError: The database cannot be read.
    """
    draft = copy.with_name(copy.name + ".part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy_pages(source, draft, progress)
        manifest = _described(draft, keys)
        _write_manifest(manifest_of(copy), manifest)
        sync(draft)
        draft.rename(copy)
        sync(copy.parent)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def checked(copy: Path) -> Manifest:
    """Read the manifest of a copy and make sure that the copy is what it says.

    Raises:
        CommandError: One of them is missing, damaged, or not of this format.
    """
    try:
        manifest = Manifest(**json.loads(manifest_of(copy).read_text()))
        size, digest = copy.stat().st_size, sha256_of(copy)
    except FileNotFoundError as error:
        raise CommandError(f"{error.filename} is missing.", Exit.DATA) from error
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"{manifest_of(copy)} is not a manifest.", Exit.DATA) from error
    if manifest.format != FORMAT:
        raise CommandError(f"{copy} is of a format that this version cannot read.", Exit.DATA)
    if (size, digest) != (manifest.bytes, manifest.sha256):
        raise CommandError(f"{copy} is damaged: its bytes are not those it had.", Exit.DATA)
    return manifest


def put_draft(copy: Path, manifest: Manifest, draft: Path) -> None:
    """Lay a copy beside the place of the database, checked again as it lies there.

    Raises:
        CommandError: What arrived is not what the manifest says.
        OSError: It cannot be written.
    """
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    shutil.copyfile(copy, draft)
    if sha256_of(draft) != manifest.sha256:
        raise CommandError(f"{copy} changed while it was copied.", Exit.DATA)


def fold(database: Path) -> None:
    """Write what stands in a database's log into its one file; nobody else may have it open."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    sync(database)


def move_aside(data: Path, database: Path) -> Path:
    """Move a database and its Redis out of the way; returns the folder where they lie now."""
    aside = data / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    aside.mkdir(mode=0o700)
    for suffix in ("", "-wal", "-shm"):
        found = database.with_name(database.name + suffix)
        if found.exists():
            found.rename(aside / found.name)
    if (data / "valkey").exists():
        # It holds a copy of another history; the hub fills an empty one by itself.
        (data / "valkey").rename(aside / "valkey")
    return aside


def sync(path: Path) -> None:
    """Have a file or a folder on the disk before anything relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_pages(source: Path, draft: Path, progress: Progress) -> None:
    try:
        with (
            closing(_reading(source)) as origin,
            closing(sqlite3.connect(draft, isolation_level=None)) as target,
        ):
            size = origin.execute("PRAGMA page_size").fetchone()[0]
            origin.backup(
                target,
                pages=PAGES,
                progress=lambda _, left, total: progress((total - left) * size, total * size),
            )
            # One file, no log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        raise CommandError(f"{source} cannot be read as a database.", Exit.UNAVAILABLE) from error


def _reading(source: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{source}?mode=rw", uri=True, isolation_level=None)
    # One moment of it: without this, each write of another process would start the copy anew,
    # and under steady writing it would never end.
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    return connection


def _described(draft: Path, keys: dict[str, str]) -> Manifest:
    with closing(sqlite3.connect(draft)) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise CommandError("The copy is damaged, so the database may be.", Exit.DATA)
        timeline, position = connection.execute("SELECT timeline, position FROM head").fetchone()
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return Manifest(
        format=FORMAT,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        timeline=timeline,
        position=position,
        schema=schema,
        bytes=draft.stat().st_size,
        sha256=sha256_of(draft),
        keys=keys,
    )


def _write_manifest(path: Path, manifest: Manifest) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(manifest), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
