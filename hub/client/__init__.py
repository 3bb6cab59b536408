# SPDX-License-Identifier: Apache-2.0
"""The Python client of a hub. Start at ``Client``.

- client, aio: ``Client`` and ``AsyncClient``, the same methods
- calls: what is sent for each, and how its answer is read; no I/O
- values, answers: what a caller tells, what a hub answers
- files: questions about files
- retries, errors: what is asked again, and what can go wrong
- replica: follow sets and match at home

It knows nothing of the hub but its API; of this repository it needs only ``matching``.
"""

from hub.client.aio import AsyncClient
from hub.client.answers import (
    Answer,
    Changes,
    Entry,
    Hit,
    Index,
    Indicator,
    Kept,
    Matches,
    Page,
    Record,
    Resync,
    Row,
    Snapshot,
    Status,
)
from hub.client.client import Client
from hub.client.errors import ApiError, ClientError, Flaw, ProtocolError, UnreachableError
from hub.client.files import FileMatch
from hub.client.retries import Retry
from hub.client.values import (
    Account,
    Code,
    Contribution,
    Item,
    Opinion,
    Outcome,
    Words,
    contributed_codes,
)

__all__ = [
    "Account",
    "Answer",
    "ApiError",
    "AsyncClient",
    "Changes",
    "Client",
    "ClientError",
    "Code",
    "Contribution",
    "Entry",
    "FileMatch",
    "Flaw",
    "Hit",
    "Index",
    "Indicator",
    "Item",
    "Kept",
    "Matches",
    "Opinion",
    "Outcome",
    "Page",
    "ProtocolError",
    "Record",
    "Resync",
    "Retry",
    "Row",
    "Snapshot",
    "Status",
    "UnreachableError",
    "Words",
    "contributed_codes",
]
