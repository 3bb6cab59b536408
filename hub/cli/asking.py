# SPDX-License-Identifier: Apache-2.0
"""Ask a hub how it is, with nothing but the standard library: the supervisor does so too."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from hub.settings import Address

TIMEOUT = 5.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # to be called, not bound
"""Where to call a server that listens everywhere."""


def is_ready(address: Address) -> bool:
    """Whether the hub says at *address* that it can answer."""
    status, _ = _get(address, "/readyz", {})
    return status == http.HTTPStatus.OK


def ask_status(address: Address, key: str | None) -> dict[str, Any]:
    """What the hub tells of itself; with a key also how fresh its index is."""
    found: dict[str, Any] = {"address": str(address), "ready": is_ready(address)}
    if key is not None:
        status, body = _get(address, "/v1/status", {"Authorization": f"Bearer {key}"})
        found["status"] = body if status == http.HTTPStatus.OK else f"refused ({status})"
    return found


def _get(address: Address, path: str, headers: Mapping[str, str]) -> tuple[int | None, Any]:
    line = http.client.HTTPConnection(
        EVERYWHERE.get(address.host, address.host), address.port, timeout=TIMEOUT
    )
    try:
        line.request("GET", path, headers=dict(headers))
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None, None
    finally:
        line.close()
