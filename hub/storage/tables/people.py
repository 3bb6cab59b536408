# SPDX-License-Identifier: Apache-2.0
"""Who speaks: operators, members, their keys and sets."""

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text, UniqueConstraint

from hub.storage.columns import Json, Key, Moment
from hub.storage.tables.base import metadata

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
