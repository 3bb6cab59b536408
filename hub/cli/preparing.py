# SPDX-License-Identifier: Apache-2.0
"""What must be true before a hub can serve, made true: a usable Redis, schema, first members.

``breakwater up`` runs this as a process of its own, so that the supervisor never loads the
database's libraries. What takes long to import is imported only where it is needed: an ordinary
start needs neither Alembic nor the services.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click

from hub.adapters import logs
from hub.cli.exits import CommandError, Exit, read_settings
from hub.settings import Settings

START_PATIENCE = 5.0
"""Seconds that a Redis may take to start beside us."""
VERSIONS = Path(__file__).parents[1] / "storage" / "migrations" / "versions"


@click.command(hidden=True)
@click.option("--migrate", is_flag=True, help="Bring the database to this version's schema.")
@click.option("--sandbox", is_flag=True, help="Make sandbox members where there are none.")
def prepare(*, migrate: bool, sandbox: bool) -> None:
    """Check what a hub needs, and print as JSON what a first start made."""
    settings = read_settings()
    logs.configure(settings.log_level)
    require_redis(settings, START_PATIENCE)
    if not migrate:
        require_schema(settings)
    elif not is_current(settings):
        upgrade(settings)
    click.echo(json.dumps(make_sandbox(settings) if sandbox else None))


def needs_nothing(settings: Settings) -> bool:
    """Whether there is nothing to prepare: SQLite, of this schema, with somebody admitted.

    So it is at every start but the first, and it takes no more than two glances to know it.
    """
    return settings.database_file is not None and is_current(settings) and _has_operators(settings)


def require_redis(settings: Settings, patience: float = 0.0) -> tuple[str, bool]:
    """Make sure that the Redis can be relied upon.

    Returns:
        What was found, and whether every server of it answers.

    Raises:
        CommandError: There is none, or it cannot.
    """
    from hub.adapters import redis  # noqa: PLC0415  # an ordinary start goes without

    if settings.redis_url is None:
        raise CommandError(
            "REDIS_URL is not set: set it, or run breakwater up, which brings a Redis of its own.",
            Exit.SETTINGS,
        )
    try:
        found = redis.require_usable(settings.redis_url, patience)
    except redis.RedisUnreachableError as error:
        raise CommandError(str(error), Exit.UNAVAILABLE) from error
    except redis.RedisUnusableError as error:
        raise CommandError(str(error), Exit.SETTINGS) from error
    return str(found), found.answering == found.known


def require_schema(settings: Settings) -> None:
    """Make sure that the database has this version's schema.

    Raises:
        CommandError: It has not, or it does not answer.
    """
    if not is_current(settings):
        raise CommandError(
            "There is no database of this version here: start the hub once (breakwater up), or "
            "run breakwater db upgrade.", Exit.UNAVAILABLE,
        )  # fmt: skip


def is_current(settings: Settings) -> bool:
    """Whether the database has exactly this version's schema.

    Raises:
        CommandError: The database does not answer.
    """
    if settings.database_file is not None:
        return _sqlite_revision(settings.database_file) == newest_revision()
    from hub.cli import databases  # noqa: PLC0415  # an ordinary start of SQLite goes without

    have, want = databases.versions(settings)
    return have == want


def upgrade(settings: Settings) -> None:
    """Bring the database to this version's schema.

    Raises:
        CommandError: The database does not answer.
    """
    from hub.cli import databases  # noqa: PLC0415  # takes two seconds to import

    databases.upgrade(settings)


def make_sandbox(settings: Settings) -> Mapping[str, object] | None:
    """Make two sandbox operators that may try the hub, unless it knows operators already."""
    if _has_operators(settings):
        return None
    from hub.services.bootstrap import first_start  # noqa: PLC0415  # once in a hub's life
    from hub.wiring import assemble  # noqa: PLC0415  # as above

    return first_start(assemble(settings))


def newest_revision() -> str:
    """The last of the migrations' revisions, read from their files."""
    texts = [path.read_text() for path in VERSIONS.glob("*.py")]
    (newest,) = _named("revision", texts) - _named("down_revision", texts)
    return newest


def _named(name: str, texts: list[str]) -> set[str]:
    line = re.compile(rf"""^{name}\b[^"'\n]*["'](\w+)["']""", re.MULTILINE)
    return {found for text in texts for found in line.findall(text)}


def _sqlite_revision(file: Path) -> str | None:
    found = _first_value(file, "SELECT version_num FROM alembic_version")
    return str(found) if found else None


def _has_operators(settings: Settings) -> bool:
    if settings.database_file is not None:
        return _first_value(settings.database_file, "SELECT 1 FROM operator LIMIT 1") is not None
    from hub.cli import databases  # noqa: PLC0415  # an ordinary start of SQLite goes without

    return databases.has_operators(settings)


def _first_value(file: Path, statement: str) -> object:
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as connection:
            row = connection.execute(statement).fetchone()
    except sqlite3.OperationalError:
        # There is no such table yet.
        return None
    except sqlite3.DatabaseError as error:
        raise CommandError(
            f"{file} is damaged or no database: restore a backup.", Exit.DATA
        ) from error
    return row[0] if row else None
