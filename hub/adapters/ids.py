# SPDX-License-Identifier: Apache-2.0
"""Public ids: a prefix and 128 random bits."""

import base64
import secrets

ID_BYTES = 16


def new_id(prefix: str) -> str:
    """Make a new id: *prefix*, as ``ind_``, and 26 letters that tell nothing of when."""
    text = base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().rstrip("=").lower()
    return prefix + text
