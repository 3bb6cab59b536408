# SPDX-License-Identifier: Apache-2.0
"""What is said, where it is shared, and what others say of it."""

import sqlalchemy as sa
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from hub.storage.columns import Json, Key, Moment
from hub.storage.tables.base import metadata

label = Table(
    "label",
    metadata,
    # 0 and 1 are the model's own (gone, controls); combinations count from 2.
    Column("label", Key, sa.Identity(start=2), primary_key=True),
    Column("sets", Json, nullable=False, unique=True),
)

indicator = Table(
    "indicator",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("operator", Key, nullable=False),
    # Frozen: an operator that changes its kind does not change what it said before.
    Column("operator_kind", Text, nullable=False),
    Column("party", Key, nullable=False),
    Column("item_kind", Text, nullable=False),
    Column("external_id", Text),
    Column("profile", Text),
    Column("strong", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    # The rest moves with the latest version, so that a lookup needs no search for it.
    Column("n", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("label", Integer, nullable=False),
    Column("copied", Boolean, nullable=False),
    UniqueConstraint("operator", "external_id"),
    Index(None, "state", "expires"),
    Index(None, "operator", "created_at"),
)

version = Table(
    "version",
    metadata,
    Column("indicator", ForeignKey("indicator.key"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    # assert, withdraw, expire or erase.
    Column("kind", Text, nullable=False),
    Column("party", Key, nullable=False),
    Column("at", Moment, nullable=False),
    Column("words", Json, nullable=False),
    Column("sets", Json, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("label", Integer, nullable=False),
    Column("reason", Text),
)

code = Table(
    "code",
    metadata,
    Column("key", Key, primary_key=True),
    Column("indicator", ForeignKey("indicator.key"), nullable=False, index=True),
    Column("signal", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("derivation", Integer, nullable=False),
    Column("quality", Integer),
    Column("at_ms", Integer),
    # Derived codes may come and go with versions; plain ones are fixed at n = 1.
    Column("n_from", Integer, nullable=False),
    Column("n_to", Integer),
)

# The frames of a video, all in one row: fixed at n = 1, and never asked for one by one.
frames = Table(
    "frames",
    metadata,
    Column("indicator", ForeignKey("indicator.key"), primary_key=True),
    # 32 bytes a frame; 4, big-endian milliseconds; 1, beyond 100 where it is not known.
    Column("codes", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("qualities", LargeBinary, nullable=False),
)

sealed_account = Table(
    "sealed_account",
    metadata,
    Column("indicator", ForeignKey("indicator.key"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

entry = Table(
    "entry",
    metadata,
    Column("indicator", ForeignKey("indicator.key"), primary_key=True),
    Column("set_key", Key, primary_key=True, autoincrement=False, index=True),
    Column("live", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    # Distinct operators ever linked, also those whose link was not kept.
    Column("agree_total", Integer, nullable=False),
    Column("disagree_total", Integer, nullable=False),
)

opinion = Table(
    "opinion",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("operator", ForeignKey("operator.key"), nullable=False),
    Column("operator_kind", Text, nullable=False),
    Column("party", ForeignKey("party.key"), nullable=False),
    Column("indicator", ForeignKey("indicator.key"), nullable=False),
    Column("set_key", ForeignKey("sharing_set.key"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("stance", Text, nullable=False),
    Column("reason", Text),
    Column("basis", Text),
    Column("assessed_by", Integer, nullable=False),
    Column("reach", Text, nullable=False),
    Column("at", Moment, nullable=False),
    # False once the same operator said something later through the same hub.
    Column("live", Boolean, nullable=False),
    UniqueConstraint("indicator", "set_key", "operator", "n"),
)

# Pictures that must not be found, a row for each set; what is over has no row.
exclusion = Table(
    "exclusion",
    metadata,
    Column("key", Key, primary_key=True),
    # Public, and its author's own: another author may use the same.
    Column("id", Text, nullable=False),
    Column("operator", ForeignKey("operator.key"), nullable=False),
    Column("operator_kind", Text, nullable=False),
    Column("party", ForeignKey("party.key"), nullable=False),
    Column("set_key", ForeignKey("sharing_set.key"), nullable=False),
    Column("signal", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("radius", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("expires", Moment, nullable=False, index=True),
    UniqueConstraint("id", "party", "set_key"),
    Index(None, "set_key", "operator"),
)

link = Table(
    "link",
    metadata,
    Column("key", Key, primary_key=True),
    Column("indicator", sa.BigInteger, nullable=False),
    Column("set_key", sa.BigInteger, nullable=False),
    # One of the three: a neighbour's entry in the same set, an opinion, or an exclusion.
    Column("voter", ForeignKey("indicator.key")),
    Column("opinion", ForeignKey("opinion.key"), index=True),
    Column("exclusion", ForeignKey("exclusion.key"), index=True),
    Column("operator", ForeignKey("operator.key"), nullable=False),
    Column("side", Integer, nullable=False),
    sa.ForeignKeyConstraint(["indicator", "set_key"], ["entry.indicator", "entry.set_key"]),
    UniqueConstraint("indicator", "set_key", "voter"),
    UniqueConstraint("indicator", "set_key", "opinion"),
    Index(None, "indicator", "set_key", "exclusion", unique=True),
    Index(None, "voter", "set_key"),
)

appeal = Table(
    "appeal",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("indicator", ForeignKey("indicator.key"), nullable=False, index=True),
    Column("operator", ForeignKey("operator.key"), nullable=False),
    Column("ground", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("upheld", Boolean),
)

outcome = Table(
    "outcome",
    metadata,
    Column("key", Key, primary_key=True),
    Column("operator", ForeignKey("operator.key"), nullable=False),
    Column("indicator", ForeignKey("indicator.key"), nullable=False, index=True),
    Column("set_key", ForeignKey("sharing_set.key"), nullable=False),
    # The receipt's own number: saying it anew replaces the outcome.
    Column("receipt", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reported_to", Text),
    Column("at", Moment, nullable=False),
    UniqueConstraint("operator", "receipt"),
)
