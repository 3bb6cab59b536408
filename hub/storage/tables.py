# SPDX-License-Identifier: Apache-2.0
"""Every table, in the order in which the model reads.

Public ids are random text; keys are internal and never leave. Nothing here is edited in place but
what says so: versions, opinions and changes only ever grow.

Operators, members, parties and sets are never deleted, so what every contribution writes names
them without a foreign key: PostgreSQL would lock those few rows, the same ones for all writers,
and a contribution would cost it a third more.
"""

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

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# -- the history ---------------------------------------------------------------------------------

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

# -- who -----------------------------------------------------------------------------------------

operator = Table(
    "operator",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    # DNS-style, controlled by the organisation, the same in every hub.
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("contacts", Json, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

member = Table(
    "member",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("operator", ForeignKey("operator.key"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("member", ForeignKey("member.key"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    # HMAC of the secret under the pepper; the secret is shown once and kept nowhere.
    Column("mac", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("revoked_at", Moment),
)

sharing_set = Table(
    "sharing_set",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("tlp", Text, nullable=False),
    Column("onward", Text, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    # The hub whose manifest says who shares it; nothing: it is ours to say.
    Column("home", Text),
)

set_grant = Table(
    "set_grant",
    metadata,
    Column("set_key", ForeignKey("sharing_set.key"), primary_key=True),
    Column("member", ForeignKey("member.key"), primary_key=True, index=True),
    Column("rights", Json, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

party = Table(
    "party",
    metadata,
    Column("key", Key, primary_key=True),
    Column("operator", ForeignKey("operator.key"), nullable=False, index=True),
    # One of the two: a local member, or a remote author at its hub.
    Column("member", ForeignKey("member.key"), unique=True),
    Column("hub", Text),
    Column("author", Text),
    # good, stale or quarantined: only good ones vote.
    Column("state", Text, nullable=False),
    UniqueConstraint("hub", "author"),
)

# -- what is said --------------------------------------------------------------------------------

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

# -- where it is shared, and what others say of it -----------------------------------------------

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
    # False once the same operator said something later.
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

# -- what lookups leave behind -------------------------------------------------------------------

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

# -- partners, and what goes between hubs --------------------------------------------------------

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
)

# That an operation is in its origin's log: what it takes to pass it on.
inclusion = Table(
    "inclusion",
    metadata,
    Column("operation", Key, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("at_index", sa.BigInteger, nullable=False),
    Column("size", sa.BigInteger, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("is_revoke", Boolean, nullable=False),
    # Whether nobody has looked yet if it is to be passed on.
    Column("due", Boolean, nullable=False),
    Index(None, "due", "is_revoke"),
    Index(None, "source", "size"),
)

# The checkpoints of other hubs that these lead to.
origin_note = Table(
    "origin_note",
    metadata,
    Column("source", Text, primary_key=True),
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

# -- the house's own -----------------------------------------------------------------------------

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
