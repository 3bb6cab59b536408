# SPDX-License-Identifier: Apache-2.0
"""Partners, and what goes between hubs."""

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

partner = Table(
    "partner",
    metadata,
    Column("key", Key, primary_key=True),
    Column("hub", Text, nullable=False, unique=True),
    # What was settled out of band, and by whom it may speak.
    Column("base", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("operators", Json, nullable=False),
    Column("level", Integer, nullable=False),
    # active, paused, suspended or quarantined.
    Column("state", Text, nullable=False),
    # Its hub.json, as it was verified last.
    Column("identity", LargeBinary),
    # What is believed of its log: the checkpoint, and the frontier of what was applied.
    Column("note", LargeBinary),
    Column("size", sa.BigInteger, nullable=False),
    Column("root_hash", LargeBinary),
    Column("frontier", LargeBinary, nullable=False),
    Column("applied", sa.BigInteger, nullable=False),
    # Revokes are taken ahead of the rest, up to here.
    Column("revoked_to", sa.BigInteger, nullable=False),
    Column("alive_at", sa.BigInteger, nullable=False),
    Column("witnessed_at", sa.BigInteger),
    # Bad operations since somebody looked.
    Column("refused", Integer, nullable=False),
    # Until then it may add as much as it likes: somebody has looked.
    Column("released_until", Moment),
    Column("reached_at", Moment),
    Column("error", Text),
    Column("created_at", Moment, nullable=False),
    # Whether it was never paired: others pass on what it says.
    Column("relayed", Boolean, nullable=False, server_default=sa.false()),
    # By which partner it was heard of last.
    Column("via", Key),
)

partner_set = Table(
    "partner_set",
    metadata,
    Column("partner", ForeignKey("partner.key"), primary_key=True),
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    # Whether the partner said that it shares it too: what it withheld before is asked for again.
    Column("heard", Boolean, nullable=False),
    # The manifest by which both hubs went while all of the partner's log was read.
    Column("told", Text),
)

# What the hub of a set says of it, as far as it counts here: one manifest a set.
set_manifest = Table(
    "set_manifest",
    metadata,
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    # Id of the operation that says it.
    Column("operation", Text, nullable=False),
    Column("expires", sa.BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("tlp", Text, nullable=False),
    Column("onward", Text, nullable=False),
    # Names of hubs, each with the SHA-256 of its first root.
    Column("hubs", Json, nullable=False),
)

# What people here decided of a set of ours: hubs to name that are no partners, or not to name.
set_hub = Table(
    "set_hub",
    metadata,
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    Column("hub", Text, primary_key=True),
    Column("root", Text),
    Column("named", Boolean, nullable=False),
)

# Sets of which a manifest changed what is held from whom: up to which register that was seen to.
set_review = Table(
    "set_review",
    metadata,
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    Column("after", sa.BigInteger, nullable=False),
    Column("done", Boolean, nullable=False),
)

# What a partner changed, hour by hour: more than it used to, and a person looks first.
partner_pace = Table(
    "partner_pace",
    metadata,
    Column("partner", ForeignKey("partner.key"), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("added", Integer, nullable=False),
    Column("revoked", Integer, nullable=False),
)

# What is published of a set that was there before it was shared: up to which indicator.
backfill = Table(
    "backfill",
    metadata,
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    Column("after", sa.BigInteger, nullable=False),
    Column("done", Boolean, nullable=False),
)

register = Table(
    "register",
    metadata,
    Column("key", Key, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    # Public id of the indicator that the target is, or is about.
    Column("about", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("n", sa.BigInteger, nullable=False),
    Column("keep", sa.BigInteger, nullable=False, index=True),
    # The operation that holds, and the other if its author said two things with one version.
    Column("operation", Key),
    Column("other", Key),
    Column("indicator", Key, index=True),
    # Of our own: which version of the indicator, or number of the opinion, was said last.
    Column("said", Integer),
    UniqueConstraint("kind", "target", "origin", "author"),
    Index(None, "about", "kind"),
)

operation = Table(
    "operation",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("n", sa.BigInteger, nullable=False),
    Column("keep", sa.BigInteger, nullable=False, index=True),
    # Nothing is left of it once it was purged.
    Column("payload", LargeBinary),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    # From whom it came, and where in whose log it is; our own came from nobody.
    Column("partner", Key),
    Column("at_index", sa.BigInteger, nullable=False),
    # A number of its register: all that was said there is found by it, to be erased.
    Column("said_in", sa.BigInteger, nullable=False, index=True),
)

# That an operation is in its origin's log: what it takes to pass it on.
inclusion = Table(
    "inclusion",
    metadata,
    Column("operation", Key, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    # Which of its logs: it may have closed it since, and begun another.
    Column("log", Text, nullable=False),
    Column("at_index", sa.BigInteger, nullable=False),
    Column("size", sa.BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("is_revoke", Boolean, nullable=False),
    # From when on somebody is to look if it is to be passed on; nothing once somebody has.
    Column("due", sa.BigInteger),
    Index(None, "due", "is_revoke"),
    Index(None, "log", "size"),
)

# The checkpoints of other hubs that these lead to.
origin_note = Table(
    "origin_note",
    metadata,
    Column("log", Text, primary_key=True),
    Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
)

hub_log = Table(
    "hub_log",
    metadata,
    Column("key", Key, primary_key=True),
    Column("origin", Text, nullable=False, unique=True),
    Column("size", sa.BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    # The checkpoint that may be shown: of this size, or of one before.
    Column("note", LargeBinary),
    Column("noted", sa.BigInteger, nullable=False),
)

log_leaf = Table(
    "log_leaf",
    metadata,
    Column("log", Key, primary_key=True, autoincrement=False),
    Column("at_index", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("operation", Key, nullable=False, index=True),
    Column("is_revoke", Boolean, nullable=False),
    Index(None, "log", "is_revoke", "at_index"),
)

log_tile = Table(
    "log_tile",
    metadata,
    Column("log", Key, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("key", Key, primary_key=True),
    Column("partner", Key),
    Column("alarm", Text, nullable=False),
    Column("what", Text, nullable=False),
    # SHA-256 of what is said and proven, and the bytes of the proof.
    Column("digest", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    # Signed bytes, base64: proof to anybody.
    Column("proof", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Index(None, "partner", "alarm"),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", sa.BigInteger, nullable=False),
    Column("root_hash", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
)
