# SPDX-License-Identifier: Apache-2.0
"""What a database's errors mean to whoever asked: try again, it is away, or a fault of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from hub.domain.errors import BusyError, UnavailableError

_WAITED_LONG = ("55P03", "40P01")
"""PostgreSQL's lock_timeout, and a deadlock that it broke."""
_TAKEN = "23505"
"""PostgreSQL's unique violation."""
_AWAY = ("08", "53", "57P")
"""Its connection went, it has no room, it is stopping or not up yet."""
_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


@contextmanager
def translated() -> Iterator[None]:
    """Say what the errors of a database inside mean.

    Whether a commit was carried out that ended so, nobody knows: its request is to be repeated
    under the same name.

    Raises:
        BusyError: Another writer was in the way for too long.
        UnavailableError: The database is away, or cannot write.
    """
    try:
        yield
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") != _TAKEN:
            raise
        # Two wrote the same name at once; asked again, the later one finds the earlier.
        raise BusyError("Another request wrote the same; try again in a moment.") from error
    except (OperationalError, InterfaceError) as error:
        if _is_busy(error):
            raise BusyError("Another request is writing; try again in a moment.") from error
        if _is_away(error):
            raise UnavailableError("The database does not answer.") from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    # SQLite says "locked".
    return "locked" in str(error.orig) or getattr(error.orig, "sqlstate", "") in _WAITED_LONG


def _is_away(error: DBAPIError) -> bool:
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(_DISK)
    # PostgreSQL could not say anything where the connection itself was refused or lost.
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or str(state).startswith(_AWAY)
