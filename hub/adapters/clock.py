# SPDX-License-Identifier: Apache-2.0
"""The present moment, and new public ids."""

import base64
import secrets
from datetime import UTC, datetime

ID_BYTES = 16


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """A new public id: the prefix and 128 random bits, which tell nothing of when it was made."""
    text = base64.b32encode(secrets.token_bytes(ID_BYTES)).decode()
    return prefix + text.rstrip("=").lower()
