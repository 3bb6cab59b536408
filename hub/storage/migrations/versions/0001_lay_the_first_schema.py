# SPDX-License-Identifier: Apache-2.0
"""Lay the first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("operator", sa.BigInteger(), nullable=True),
        sa.Column("member", sa.BigInteger(), nullable=True),
        sa.Column("api_key", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("idempotency", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_change")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_idempotency"), ["idempotency"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_subject"), ["subject"], unique=False)

    op.create_table(
        "control",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_control")),
    )
    op.create_table(
        "cursor",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursor")),
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head")),
    )
    op.create_table(
        "label",
        sa.Column(
            "label",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=2),
            nullable=False,
        ),
        sa.Column("sets", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_label")),
        sa.UniqueConstraint("sets", name=op.f("uq_label_sets")),
    )
    op.create_table(
        "operator",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contacts", sa.Text(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_operator")),
        sa.UniqueConstraint("id", name=op.f("uq_operator_id")),
        sa.UniqueConstraint("name", name=op.f("uq_operator_name")),
    )
    op.create_table(
        "sharing_set",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tlp", sa.Text(), nullable=False),
        sa.Column("onward", sa.Text(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sharing_set")),
        sa.UniqueConstraint("id", name=op.f("uq_sharing_set_id")),
        sa.UniqueConstraint("name", name=op.f("uq_sharing_set_name")),
    )
    op.create_table(
        "budget",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_budget_operator")),
        sa.PrimaryKeyConstraint("name", "operator", "day", name=op.f("pk_budget")),
    )
    op.create_table(
        "member",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_member_operator")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_member")),
        sa.UniqueConstraint("id", name=op.f("uq_member_id")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_operator"), ["operator"], unique=False)

    op.create_table(
        "served_fact",
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("set_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.key"], name=op.f("fk_served_fact_operator")
        ),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_served_fact_set_key")
        ),
        sa.PrimaryKeyConstraint("operator", "set_key", "at", name=op.f("pk_served_fact")),
    )
    op.create_table(
        "api_key",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member"], ["member.key"], name=op.f("fk_api_key_member")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_key")),
        sa.UniqueConstraint("id", name=op.f("uq_api_key_id")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_member"), ["member"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("member", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency")),
        sa.UniqueConstraint("member", "name", name=op.f("uq_idempotency_member_name")),
        # Rows go after seven days, and changes name them: a key must never be given twice.
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False
        )

    op.create_table(
        "party",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("member", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hub", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.key"], name=op.f("fk_party_member")),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_party_operator")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_party")),
        sa.UniqueConstraint("hub", "author", name=op.f("uq_party_hub_author")),
        sa.UniqueConstraint("member", name=op.f("uq_party_member")),
    )
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_party_operator"), ["operator"], unique=False)

    op.create_table(
        "set_grant",
        sa.Column("set_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("member", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.key"], name=op.f("fk_set_grant_member")),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_set_grant_set_key")
        ),
        sa.PrimaryKeyConstraint("set_key", "member", name=op.f("pk_set_grant")),
    )
    with op.batch_alter_table("set_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_set_grant_member"), ["member"], unique=False)

    op.create_table(
        "indicator",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("operator_kind", sa.Text(), nullable=False),
        sa.Column("party", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_indicator")),
        sa.UniqueConstraint("id", name=op.f("uq_indicator_id")),
        sa.UniqueConstraint(
            "operator", "external_id", name=op.f("uq_indicator_operator_external_id")
        ),
    )
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_indicator_state_indicator_expires"), ["state", "expires"], unique=False
        )

    op.create_table(
        "appeal",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_appeal_indicator")
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_appeal_operator")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_appeal")),
        sa.UniqueConstraint("id", name=op.f("uq_appeal_id")),
    )
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_indicator"), ["indicator"], unique=False)

    op.create_table(
        "code",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("derivation", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("at_ms", sa.Integer(), nullable=True),
        sa.Column("n_from", sa.Integer(), nullable=False),
        sa.Column("n_to", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["indicator"], ["indicator.key"], name=op.f("fk_code_indicator")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_code")),
    )
    with op.batch_alter_table("code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_code_indicator"), ["indicator"], unique=False)

    op.create_table(
        "entry",
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("set_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("agree_total", sa.Integer(), nullable=False),
        sa.Column("disagree_total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["indicator"], ["indicator.key"], name=op.f("fk_entry_indicator")),
        sa.PrimaryKeyConstraint("indicator", "set_key", name=op.f("pk_entry")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entry_set_key"), ["set_key"], unique=False)

    op.create_table(
        "hit_fact",
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_hit_fact_indicator")
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_hit_fact_operator")),
        sa.PrimaryKeyConstraint("operator", "indicator", "day", name=op.f("pk_hit_fact")),
    )
    with op.batch_alter_table("hit_fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hit_fact_indicator"), ["indicator"], unique=False)

    op.create_table(
        "opinion",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("operator_kind", sa.Text(), nullable=False),
        sa.Column("party", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("set_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("stance", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("assessed_by", sa.Integer(), nullable=False),
        sa.Column("reach", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_opinion_indicator")
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_opinion_operator")),
        sa.ForeignKeyConstraint(["party"], ["party.key"], name=op.f("fk_opinion_party")),
        sa.ForeignKeyConstraint(["set_key"], ["sharing_set.key"], name=op.f("fk_opinion_set_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_opinion")),
        sa.UniqueConstraint("id", name=op.f("uq_opinion_id")),
        sa.UniqueConstraint(
            "indicator",
            "set_key",
            "operator",
            "n",
            name=op.f("uq_opinion_indicator_set_key_operator_n"),
        ),
    )
    op.create_table(
        "outcome",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("set_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reported_to", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_outcome_indicator")
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_outcome_operator")),
        sa.ForeignKeyConstraint(["set_key"], ["sharing_set.key"], name=op.f("fk_outcome_set_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outcome")),
        sa.UniqueConstraint("operator", "receipt", name=op.f("uq_outcome_operator_receipt")),
    )
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_indicator"), ["indicator"], unique=False)

    op.create_table(
        "sealed_account",
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_sealed_account_indicator")
        ),
        sa.PrimaryKeyConstraint("indicator", name=op.f("pk_sealed_account")),
    )
    op.create_table(
        "version",
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("party", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("sets", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_version_indicator")
        ),
        sa.PrimaryKeyConstraint("indicator", "n", name=op.f("pk_version")),
    )
    op.create_table(
        "link",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("indicator", sa.BigInteger(), nullable=False),
        sa.Column("set_key", sa.BigInteger(), nullable=False),
        sa.Column("voter", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("opinion", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "operator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator", "set_key"],
            ["entry.indicator", "entry.set_key"],
            name=op.f("fk_link_indicator_set_key"),
        ),
        sa.ForeignKeyConstraint(["operator"], ["operator.key"], name=op.f("fk_link_operator")),
        sa.ForeignKeyConstraint(["opinion"], ["opinion.key"], name=op.f("fk_link_opinion")),
        sa.ForeignKeyConstraint(["voter"], ["indicator.key"], name=op.f("fk_link_voter")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_link")),
        sa.UniqueConstraint(
            "indicator", "set_key", "opinion", name=op.f("uq_link_indicator_set_key_opinion")
        ),
        sa.UniqueConstraint(
            "indicator", "set_key", "voter", name=op.f("uq_link_indicator_set_key_voter")
        ),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_opinion"), ["opinion"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_link_voter_link_set_key"), ["voter", "set_key"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_voter_link_set_key"))
        batch_op.drop_index(batch_op.f("ix_link_opinion"))

    op.drop_table("link")
    op.drop_table("version")
    op.drop_table("sealed_account")
    with op.batch_alter_table("outcome", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_indicator"))

    op.drop_table("outcome")
    op.drop_table("opinion")
    with op.batch_alter_table("hit_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hit_fact_indicator"))

    op.drop_table("hit_fact")
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_entry_set_key"))

    op.drop_table("entry")
    with op.batch_alter_table("code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_code_indicator"))

    op.drop_table("code")
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appeal_indicator"))

    op.drop_table("appeal")
    with op.batch_alter_table("indicator", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indicator_state_indicator_expires"))

    op.drop_table("indicator")
    with op.batch_alter_table("set_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_set_grant_member"))

    op.drop_table("set_grant")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_party_operator"))

    op.drop_table("party")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_member"))

    op.drop_table("api_key")
    op.drop_table("served_fact")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_operator"))

    op.drop_table("member")
    op.drop_table("budget")
    op.drop_table("sharing_set")
    op.drop_table("operator")
    op.drop_table("label")
    op.drop_table("head")
    op.drop_table("cursor")
    op.drop_table("control")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_subject"))
        batch_op.drop_index(batch_op.f("ix_change_idempotency"))

    op.drop_table("change")
