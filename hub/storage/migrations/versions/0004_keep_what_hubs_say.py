# SPDX-License-Identifier: Apache-2.0
"""Keep partners, what is said between hubs, and the log of what was said."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("key", KEY, nullable=False),
        sa.Column("partner", KEY, nullable=True),
        sa.Column("alarm", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_evidence")),
    )
    op.create_index(
        op.f("ix_evidence_partner_evidence_alarm"), "evidence", ["partner", "alarm"], unique=False
    )
    op.create_table(
        "hub_log",
        sa.Column("key", KEY, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("noted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hub_log")),
        sa.UniqueConstraint("origin", name=op.f("uq_hub_log_origin")),
    )
    op.create_table(
        "log_leaf",
        sa.Column("log", KEY, autoincrement=False, nullable=False),
        sa.Column("at_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("operation", KEY, nullable=False),
        sa.Column("is_revoke", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("log", "at_index", name=op.f("pk_log_leaf")),
    )
    op.create_index(
        op.f("ix_log_leaf_log_log_leaf_is_revoke_log_leaf_at_index"),
        "log_leaf",
        ["log", "is_revoke", "at_index"],
        unique=False,
    )
    op.create_index(op.f("ix_log_leaf_operation"), "log_leaf", ["operation"], unique=False)
    op.create_table(
        "log_tile",
        sa.Column("log", KEY, autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "level", "tile", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "operation",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("keep", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("partner", KEY, nullable=True),
        sa.Column("at_index", sa.BigInteger(), nullable=False),
        sa.Column("said_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_operation")),
    )
    op.create_index(op.f("ix_operation_keep"), "operation", ["keep"], unique=False)
    op.create_index(op.f("ix_operation_said_in"), "operation", ["said_in"], unique=False)
    op.create_table(
        "partner",
        sa.Column("key", KEY, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("operators", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=True),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("revoked_to", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False),
        sa.Column("witnessed_at", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("released_until", sa.BigInteger(), nullable=True),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_partner")),
        sa.UniqueConstraint("hub", name=op.f("uq_partner_hub")),
    )
    op.create_table(
        "register",
        sa.Column("key", KEY, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("keep", sa.BigInteger(), nullable=False),
        sa.Column("operation", KEY, nullable=True),
        sa.Column("other", KEY, nullable=True),
        sa.Column("indicator", KEY, nullable=True),
        sa.Column("said", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_register")),
        sa.UniqueConstraint(
            "kind",
            "target",
            "origin",
            "author",
            name=op.f("uq_register_kind_target_origin_author"),
        ),
    )
    op.create_index(
        op.f("ix_register_about_register_kind"), "register", ["about", "kind"], unique=False
    )
    op.create_index(op.f("ix_register_indicator"), "register", ["indicator"], unique=False)
    op.create_index(op.f("ix_register_keep"), "register", ["keep"], unique=False)
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_witnessed")),
    )
    op.create_table(
        "backfill",
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_backfill_set_key")
        ),
        sa.PrimaryKeyConstraint("set_key", name=op.f("pk_backfill")),
    )
    op.create_table(
        "partner_pace",
        sa.Column("partner", KEY, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("revoked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner"], ["partner.key"], name=op.f("fk_partner_pace_partner")
        ),
        sa.PrimaryKeyConstraint("partner", "hour", name=op.f("pk_partner_pace")),
    )
    op.create_table(
        "partner_set",
        sa.Column("partner", KEY, nullable=False),
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("heard", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.key"], name=op.f("fk_partner_set_partner")),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_partner_set_set_key")
        ),
        sa.PrimaryKeyConstraint("partner", "set_key", name=op.f("pk_partner_set")),
    )


def downgrade() -> None:
    op.drop_table("partner_pace")
    op.drop_table("partner_set")
    op.drop_table("backfill")
    op.drop_table("witnessed")
    op.drop_index(op.f("ix_register_keep"), table_name="register")
    op.drop_index(op.f("ix_register_indicator"), table_name="register")
    op.drop_index(op.f("ix_register_about_register_kind"), table_name="register")
    op.drop_table("register")
    op.drop_table("partner")
    op.drop_index(op.f("ix_operation_said_in"), table_name="operation")
    op.drop_index(op.f("ix_operation_keep"), table_name="operation")
    op.drop_table("operation")
    op.drop_table("log_tile")
    op.drop_index(
        op.f("ix_log_leaf_log_log_leaf_is_revoke_log_leaf_at_index"), table_name="log_leaf"
    )
    op.drop_index(op.f("ix_log_leaf_operation"), table_name="log_leaf")
    op.drop_table("log_leaf")
    op.drop_table("hub_log")
    op.drop_index(op.f("ix_evidence_partner_evidence_alarm"), table_name="evidence")
    op.drop_table("evidence")
