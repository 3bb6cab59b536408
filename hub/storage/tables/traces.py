# SPDX-License-Identifier: Apache-2.0
"""What lookups leave behind."""

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from hub.storage.columns import Moment
from hub.storage.tables.base import metadata

hit_fact = Table(
    "hit_fact",
    metadata,
    Column("operator", ForeignKey("operator.key"), primary_key=True),
    Column("indicator", ForeignKey("indicator.key"), primary_key=True, index=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("first_at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
)

served_fact = Table(
    "served_fact",
    metadata,
    Column("operator", ForeignKey("operator.key"), primary_key=True),
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    Column("at", Moment, primary_key=True),
    # Everything in the set up to here was served by then.
    Column("position", sa.BigInteger, nullable=False),
)

budget = Table(
    "budget",
    metadata,
    Column("name", Text, primary_key=True),
    Column("operator", ForeignKey("operator.key"), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("used", sa.BigInteger, nullable=False),
)
