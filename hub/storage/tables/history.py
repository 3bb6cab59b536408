# SPDX-License-Identifier: Apache-2.0
"""The history, and what the house keeps of its own."""

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from hub.storage.columns import Json, Key, Moment
from hub.storage.tables.base import metadata

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("instance", Text, nullable=False),
    Column("timeline", Text, nullable=False),
    Column("position", sa.BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # Running count and digest of every signal: {"pdq": [count, "hex"]}.
    Column("totals", Json, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", sa.BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("operator", sa.BigInteger),
    Column("member", sa.BigInteger),
    Column("api_key", sa.BigInteger),
    Column("request_id", Text),
    Column("idempotency", sa.BigInteger),
    Column("details", Json, nullable=False),
    # Count and digest of the touched signals after this change.
    Column("totals", Json, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "subject"),
    Index(None, "idempotency"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", Key, primary_key=True),
    Column("member", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    UniqueConstraint("member", "name"),
    # Rows go after seven days, and changes name them: a key must never be given twice.
    sqlite_autoincrement=True,
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", sa.BigInteger, nullable=False),
)

control = Table(
    "control",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("live", Boolean, nullable=False),
)
