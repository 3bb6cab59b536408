# SPDX-License-Identifier: Apache-2.0
"""Nearest match over perceptual hashes: start at `matching.engine`.

The public names are found when they are asked for, so that a client which only hashes pictures
starts without a compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matching.batches import Batch, Hits, Part, parse_codes
    from matching.engine import Engine
    from matching.following import Follower
    from matching.freshness import Freshness
    from matching.ports import Change, ChangeFeed, CodeStore, Head, Rows, Snapshot, Total
    from matching.signals import SIGNALS, Signal

_HOMES = {
    "Batch": "batches",
    "Change": "ports",
    "ChangeFeed": "ports",
    "CodeStore": "ports",
    "Engine": "engine",
    "Follower": "following",
    "Freshness": "freshness",
    "Head": "ports",
    "Hits": "batches",
    "Part": "batches",
    "Rows": "ports",
    "SIGNALS": "signals",
    "Signal": "signals",
    "Snapshot": "ports",
    "Total": "ports",
    "parse_codes": "batches",
}

__all__ = [
    "SIGNALS",
    "Batch",
    "Change",
    "ChangeFeed",
    "CodeStore",
    "Engine",
    "Follower",
    "Freshness",
    "Head",
    "Hits",
    "Part",
    "Rows",
    "Signal",
    "Snapshot",
    "Total",
    "parse_codes",
]


def __getattr__(name: str) -> Any:
    """Import a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'matching' has no attribute {name!r}")
    return getattr(import_module(f"matching.{_HOMES[name]}"), name)
