# SPDX-License-Identifier: Apache-2.0
"""What ``breakwater doctor`` looks at: this machine, the data folder, Redis and the database."""

import importlib
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub.cli import preparing
from hub.cli.exits import CommandError
from hub.settings import Settings

PYTHON = (3, 11)
LEAST_FREE, LITTLE_FREE = 100 * 1024**2, 1024**3
"""Bytes of disk below which a hub fails, and below which it should be told."""
CLOCK_SECONDS = 2.0
"""How far our clock may be from Redis's: receipts and signatures rest upon it."""


class Verdict(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, how it went, and what there is to say."""

    check: str
    verdict: Verdict
    detail: str


Check = Callable[[Settings], Finding]


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything, each for itself: one failed check hides no other."""
    for check in CHECKS:
        try:
            yield check(settings)
        except CommandError as error:
            yield Finding(_name(check), Verdict.FAILED, error.message)
        except OSError as error:
            detail = f"{error.filename}: {(error.strerror or 'unknown error').lower()}"
            yield Finding(_name(check), Verdict.FAILED, detail)


def _name(check: Check) -> str:
    return check.__name__.removeprefix("check_")


def check_python(_settings: Settings) -> Finding:
    """Python is new enough."""
    have = ".".join(str(part) for part in sys.version_info[:3])
    verdict = Verdict.OK if sys.version_info >= PYTHON else Verdict.FAILED
    return Finding("python", verdict, have)


def check_pdqhash(_settings: Settings) -> Finding:
    """The picture hash was compiled for this machine and gives what it should."""
    try:
        library = importlib.import_module("pdqhash")
        numpy = importlib.import_module("numpy")
    except ImportError:
        return Finding(
            "pdqhash",
            Verdict.FAILED,
            "It is not installed; with a C++ compiler: pip install pdqhash.",
        )
    grey = numpy.add.outer(numpy.arange(64), numpy.arange(64)).astype(numpy.uint8)
    bits, _quality = library.compute(numpy.dstack([grey] * 3))
    whole = len(bits) == 256  # noqa: PLR2004  # the width of the hash
    return Finding("pdqhash", Verdict.OK if whole else Verdict.FAILED, "compiled and working")


def check_data(settings: Settings) -> Finding:
    """The data folder is ours alone."""
    if not settings.data.exists():
        return Finding("data", Verdict.WARNING, f"{settings.data} is made at the first start.")
    if settings.data.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            "data", Verdict.WARNING, f"Others may look into {settings.data}: chmod 700 on it."
        )
    return Finding("data", Verdict.OK, str(settings.data))


def check_keys(settings: Settings) -> Finding:
    """The keys are there, whole, and readable by nobody else."""
    from hub.adapters.secrets import KeyFileError, fingerprints  # noqa: PLC0415  # loads numpy

    try:
        found = fingerprints(settings.data)
    except FileNotFoundError as error:
        name = Path(error.filename).name
        return Finding("keys", Verdict.WARNING, f"{name} is made at the first start.")
    except KeyFileError as error:
        return Finding("keys", Verdict.FAILED, str(error))
    return Finding("keys", Verdict.OK, ", ".join(f"{name}.key" for name in found))


def check_redis(settings: Settings) -> Finding:
    """The Redis, or the Valkey we would start, can be relied upon."""
    if settings.redis_url is not None:
        found, is_whole = preparing.require_redis(settings)
        return Finding("redis", Verdict.OK if is_whole else Verdict.WARNING, found)
    from hub.adapters import embedded  # noqa: PLC0415  # not where a Redis is given

    try:
        binary = embedded.find_server(settings.redis_binary)
    except (embedded.NoServerError, embedded.UnusableServerError) as error:
        return Finding("redis", Verdict.FAILED, str(error))
    version = embedded.server_version(binary) or (0, 0)
    return Finding("redis", Verdict.OK, f"{binary}, version {version[0]}.{version[1]}")


def check_clock(settings: Settings) -> Finding:
    """Our clock agrees with Redis's, where there is one to ask."""
    if settings.redis_url is None:
        return Finding("clock", Verdict.OK, "not compared: the Redis is on this machine")
    from hub.adapters.redis import clocks_apart  # noqa: PLC0415  # half a second

    preparing.require_redis(settings)
    apart = clocks_apart(settings.redis_url, time.time)
    verdict = Verdict.OK if apart < CLOCK_SECONDS else Verdict.FAILED
    return Finding("clock", verdict, f"{apart:.2f} s from Redis's")


def check_schema(settings: Settings) -> Finding:
    """The database has this version's schema."""
    if settings.database_file is not None and not settings.database_file.exists():
        return Finding("schema", Verdict.WARNING, "The database is made at the first start.")
    if not preparing.is_current(settings):
        return Finding("schema", Verdict.FAILED, "It is another: run breakwater db upgrade.")
    return Finding("schema", Verdict.OK, preparing.newest_revision())


def check_durability(settings: Settings) -> Finding:
    """What is acknowledged is on the disk."""
    file = settings.database_file
    if file is None:
        return _postgresql(settings)
    if not file.exists():
        return Finding("durability", Verdict.WARNING, "The database is made at the first start.")
    from hub.cli import databases  # noqa: PLC0415  # takes a second

    # As the hub itself opens it: what another program would set is of no interest.
    journal, synchronous = databases.pragmas(settings, ("journal_mode", "synchronous"))
    intact = _is_intact(file)
    whole = (journal, synchronous) == ("wal", 2) and intact
    detail = f"journal_mode={journal}, synchronous={synchronous}, {'' if intact else 'not '}intact"
    return Finding("durability", Verdict.OK if whole else Verdict.FAILED, detail)


def _is_intact(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False


def _postgresql(settings: Settings) -> Finding:
    from hub.cli import databases  # noqa: PLC0415  # takes a second

    found = databases.shown(settings, ("fsync", "synchronous_commit", "full_page_writes"))
    whole = found["fsync"] == "on" and found["synchronous_commit"] not in {"off", "local"}
    detail = ", ".join(f"{name}={value}" for name, value in found.items())
    return Finding("durability", Verdict.OK if whole else Verdict.FAILED, detail)


def check_disk(settings: Settings) -> Finding:
    """There is room to write."""
    place = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE:
        return Finding("disk", Verdict.FAILED, detail)
    return Finding("disk", Verdict.WARNING if free < LITTLE_FREE else Verdict.OK, detail)


CHECKS: tuple[Check, ...] = (
    check_python,
    check_pdqhash,
    check_data,
    check_keys,
    check_redis,
    check_clock,
    check_schema,
    check_durability,
    check_disk,
)
