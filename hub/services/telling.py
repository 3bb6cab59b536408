# SPDX-License-Identifier: Apache-2.0
"""How codes and words are written in answers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.domain.indicators import Code
from matching.derivations import derivation_name
from matching.signals import PDQ, VPDQ

_INNER = frozenset({"case", "list_name", "act"})
"""Words of the contributor's own, told to itself alone; what may follow tells the standing."""


def code_records(codes: Iterable[Code]) -> list[dict[str, Any]]:
    """Codes as the API writes them."""
    return [_code(code) for code in codes]


def told_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Words as others are told them."""
    told = {name: value for name, value in words.items() if name not in _INNER}
    if isinstance(seen := told.get("observed_at"), int):
        told["observed_at"] = datetime.fromtimestamp(seen / 1000, UTC).isoformat()
    return told


def _code(code: Code) -> dict[str, Any]:
    signal = PDQ.name if code.signal == VPDQ.name else code.signal
    told: dict[str, Any] = {"signal": signal, "code": code.value.hex()}
    if code.derivation:
        told["derived"] = derivation_name(code.derivation)
    if code.quality is not None:
        told["quality"] = code.quality
    if code.at_ms is not None:
        told["at_ms"] = code.at_ms
    return told
