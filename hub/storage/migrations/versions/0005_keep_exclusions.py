# SPDX-License-Identifier: Apache-2.0
"""Keep pictures that must not be found, and let them vote against what is near them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "exclusion",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("operator", KEY, nullable=False),
        sa.Column("operator_kind", sa.Text(), nullable=False),
        sa.Column("party", KEY, nullable=False),
        sa.Column("set_key", KEY, nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("radius", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator"], ["operator.key"], name=op.f("fk_exclusion_operator")
        ),
        sa.ForeignKeyConstraint(["party"], ["party.key"], name=op.f("fk_exclusion_party")),
        sa.ForeignKeyConstraint(
            ["set_key"], ["sharing_set.key"], name=op.f("fk_exclusion_set_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_exclusion")),
        sa.UniqueConstraint("id", "party", "set_key", name=op.f("uq_exclusion_id_party_set_key")),
    )
    op.create_index(op.f("ix_exclusion_expires"), "exclusion", ["expires"], unique=False)
    op.create_index(
        op.f("ix_exclusion_set_key_exclusion_operator"),
        "exclusion",
        ["set_key", "operator"],
        unique=False,
    )
    # Nothing names links, so on SQLite the table may be written anew.
    with op.batch_alter_table("link") as batch_op:
        batch_op.add_column(sa.Column("exclusion", KEY, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_link_exclusion"), "exclusion", ["exclusion"], ["key"]
        )
        batch_op.create_index(batch_op.f("ix_link_exclusion"), ["exclusion"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_link_indicator_link_set_key_link_exclusion"),
            ["indicator", "set_key", "exclusion"],
            unique=True,
        )


def downgrade() -> None:
    op.execute("DELETE FROM link WHERE exclusion IS NOT NULL")
    with op.batch_alter_table("link") as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_indicator_link_set_key_link_exclusion"))
        batch_op.drop_index(batch_op.f("ix_link_exclusion"))
        batch_op.drop_constraint(batch_op.f("fk_link_exclusion"), type_="foreignkey")
        batch_op.drop_column("exclusion")
    op.drop_table("exclusion")
