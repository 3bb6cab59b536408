# SPDX-License-Identifier: Apache-2.0
"""Find what an operator contributed of late without a look at all it ever did."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("indicator") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_indicator_operator_indicator_created_at"), ["operator", "created_at"]
        )


def downgrade() -> None:
    with op.batch_alter_table("indicator") as batch_op:
        batch_op.drop_index(batch_op.f("ix_indicator_operator_indicator_created_at"))
