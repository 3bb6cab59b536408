# SPDX-License-Identifier: Apache-2.0
"""Changes: the one ordered history that the index, followers, partners and the audit read.

A change holds ids and salted digests, never a code or a value, so an erasure keeps the chain.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

INDICATOR, LINKS, OPINION, EXCLUSION, APPEAL, OUTCOME, ERASE, CONTROL, ACCESS, RESTORE = (
    "indicator",
    "links",
    "opinion",
    "exclusion",
    "appeal",
    "outcome",
    "erase",
    "control",
    "access",
    "restore",
)
"""Kinds. ``access`` is any change of operators, members, keys, sets or grants."""


@dataclass(frozen=True)
class Delta:
    """What a change does to one signal's running totals."""

    count: int
    digest: int


@dataclass(frozen=True)
class Event:
    """A change before it has its position.

    ``subject`` is the internal key of the indicator it is about, 0 for none; ``n`` its version.
    ``details`` are the hub's own words, ids only. ``deltas`` are by signal.
    """

    kind: str
    subject: int = 0
    n: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    deltas: Mapping[str, Delta] = field(default_factory=dict)


@dataclass(frozen=True)
class Actor:
    """Who did it, for the audit: internal keys, and the request it came by."""

    operator: int | None = None
    member: int | None = None
    key: int | None = None
    request_id: str | None = None


SYSTEM = Actor()


def chained(previous: bytes, position: int, at: datetime, actor: Actor, event: Event) -> bytes:
    """The hash of a change, over the hash before it and everything the audit shows of it."""
    text = json.dumps(
        [
            position,
            int(at.timestamp() * 1000),
            actor.operator,
            actor.member,
            actor.key,
            actor.request_id,
            event.kind,
            event.subject,
            event.n,
            event.details,
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(previous + text.encode()).digest()


GENESIS = bytes(32)
