# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: migrations run on the connection that ``hub.storage.schema`` hands over."""

from alembic import context

from hub.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
