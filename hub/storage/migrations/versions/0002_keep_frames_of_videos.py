# SPDX-License-Identifier: Apache-2.0
"""Keep the frames of videos, a row a video."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Count and digest of the control rows that every snapshot holds of the new signal.
CONTROLS = [2, "4dace864883169f6"]


def upgrade() -> None:
    op.create_table(
        "frames",
        sa.Column(
            "indicator", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.Column("qualities", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator"], ["indicator.key"], name=op.f("fk_frames_indicator")
        ),
        sa.PrimaryKeyConstraint("indicator", name=op.f("pk_frames")),
    )
    _retotal({"vpdq": CONTROLS})


def downgrade() -> None:
    op.drop_table("frames")
    _retotal({})


def _retotal(added: dict[str, list[object]]) -> None:
    """Count the signal's controls; a fresh database has no head row yet, and counts its own."""
    connection = op.get_bind()
    totals = connection.scalar(sa.text("SELECT totals FROM head"))
    if totals is None:
        return
    kept = {name: one for name, one in json.loads(totals).items() if name != "vpdq"}
    text = json.dumps({**kept, **added}, sort_keys=True, separators=(",", ":"))
    connection.execute(sa.text("UPDATE head SET totals = :totals"), {"totals": text})
