# SPDX-License-Identifier: Apache-2.0
"""Keep who shares a set by its manifest, and what it takes to pass another hub's word on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sharing_set", sa.Column("home", sa.Text(), nullable=True))
    op.add_column(
        "partner",
        sa.Column("relayed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("partner", sa.Column("via", KEY, nullable=True))
    op.add_column("partner_set", sa.Column("told", sa.Text(), nullable=True))
    op.create_table(
        "set_manifest",
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tlp", sa.Text(), nullable=False),
        sa.Column("onward", sa.Text(), nullable=False),
        sa.Column("hubs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_set_manifest_set_key")
        ),
        sa.PrimaryKeyConstraint("set_key", name=op.f("pk_set_manifest")),
    )
    op.create_table(
        "set_hub",
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["set_key"], ["sharing_set.key"], name=op.f("fk_set_hub_set_key")),
        sa.PrimaryKeyConstraint("set_key", "hub", name=op.f("pk_set_hub")),
    )
    op.create_table(
        "set_review",
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_set_review_set_key")
        ),
        sa.PrimaryKeyConstraint("set_key", name=op.f("pk_set_review")),
    )
    op.create_table(
        "inclusion",
        sa.Column("operation", KEY, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("at_index", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("is_revoke", sa.Boolean(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("operation", name=op.f("pk_inclusion")),
    )
    op.create_index(
        op.f("ix_inclusion_due_inclusion_is_revoke"),
        "inclusion",
        ["due", "is_revoke"],
        unique=False,
    )
    op.create_index(
        op.f("ix_inclusion_log_inclusion_size"), "inclusion", ["log", "size"], unique=False
    )
    op.create_table(
        "origin_note",
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "size", name=op.f("pk_origin_note")),
    )


def downgrade() -> None:
    op.drop_table("origin_note")
    op.drop_index(op.f("ix_inclusion_log_inclusion_size"), table_name="inclusion")
    op.drop_index(op.f("ix_inclusion_due_inclusion_is_revoke"), table_name="inclusion")
    op.drop_table("inclusion")
    op.drop_table("set_review")
    op.drop_table("set_hub")
    op.drop_table("set_manifest")
    op.drop_column("partner_set", "told")
    op.drop_column("partner", "via")
    op.drop_column("partner", "relayed")
    op.drop_column("sharing_set", "home")
