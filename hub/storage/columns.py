# SPDX-License-Identifier: Apache-2.0
"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(moment: datetime) -> int:
    """The moment as whole milliseconds since 1970, UTC."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(millis: int) -> datetime:
    """The moment of so many milliseconds since 1970, aware, UTC."""
    return EPOCH + timedelta(milliseconds=millis)


class Moment(sa.types.TypeDecorator[datetime]):
    """A point in time, kept as milliseconds: SQLite hands dates back without their zone."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        del dialect
        return None if value is None else millis(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return None if value is None else moment(value)


class Json(sa.types.TypeDecorator[Any]):
    """JSON as canonical text, so that the raw statements of the hot path read it alike."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        del dialect
        return None if value is None else dumped(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From the database."""
        del dialect
        return None if value is None else orjson.loads(value)


def dumped(value: Any) -> str:
    """The one text of a JSON value: sorted, without spaces."""
    return orjson.dumps(value, option=_SORTED).decode()


Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Internal keys: SQLite counts only INTEGER primary keys up by itself."""
