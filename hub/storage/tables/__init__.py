# SPDX-License-Identifier: Apache-2.0
"""Every table, in the order in which the model reads.

Public ids are random text; keys are internal and never leave. Nothing here is edited in place but
what says so: versions, opinions and changes only ever grow.

Operators, members, parties and sets are never deleted, so what every contribution writes names
them without a foreign key: PostgreSQL would lock those few rows, the same ones for all writers,
and a contribution would cost it a third more.
"""

from hub.storage.tables.base import metadata
from hub.storage.tables.exchange import (
    backfill,
    evidence,
    hub_log,
    inclusion,
    log_leaf,
    log_tile,
    operation,
    origin_note,
    partner,
    partner_pace,
    partner_set,
    register,
    set_hub,
    set_manifest,
    set_review,
    witnessed,
)
from hub.storage.tables.history import change, control, cursor, head, idempotency
from hub.storage.tables.indicators import (
    appeal,
    code,
    entry,
    exclusion,
    frames,
    indicator,
    label,
    link,
    opinion,
    outcome,
    sealed_account,
    version,
)
from hub.storage.tables.people import api_key, member, operator, party, set_grant, sharing_set
from hub.storage.tables.traces import budget, hit_fact, served_fact

__all__ = [
    "api_key",
    "appeal",
    "backfill",
    "budget",
    "change",
    "code",
    "control",
    "cursor",
    "entry",
    "evidence",
    "exclusion",
    "frames",
    "head",
    "hit_fact",
    "hub_log",
    "idempotency",
    "inclusion",
    "indicator",
    "label",
    "link",
    "log_leaf",
    "log_tile",
    "member",
    "metadata",
    "operation",
    "operator",
    "opinion",
    "origin_note",
    "outcome",
    "partner",
    "partner_pace",
    "partner_set",
    "party",
    "register",
    "sealed_account",
    "served_fact",
    "set_grant",
    "set_hub",
    "set_manifest",
    "set_review",
    "sharing_set",
    "version",
    "witnessed",
]
