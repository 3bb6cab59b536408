# SPDX-License-Identifier: Apache-2.0
"""Answers to writing requests, which must come back byte for byte when the request is repeated.

A position is known only when the transaction's last statements run, after the answer was kept; so
an answer holds its positions as offsets from the transaction's first one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AT = "$at"


def at(offset: int) -> dict[str, int]:
    """The position of the transaction's change number *offset*, counted from 0."""
    return {AT: offset}


@dataclass(frozen=True)
class Answer:
    """What a writing request is answered: ids and positions, never codes."""

    status: int
    body: Mapping[str, Any]

    def placed(self, first: int) -> "Answer":
        """The answer with its offsets turned into positions, *first* being the first of them."""
        return Answer(self.status, _placed(self.body, first))


def _placed(value: Any, first: int) -> Any:
    if isinstance(value, Mapping):
        if AT in value:
            return first + value[AT]
        return {key: _placed(inner, first) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(inner, first) for inner in value]
    return value


@dataclass(frozen=True)
class Once:
    """What makes a writing request the same request again.

    ``fingerprint`` is a peppered HMAC of method, path and body; ``request_id`` is for the audit.
    """

    member: int
    name: str
    fingerprint: bytes
    request_id: str | None = field(default=None, compare=False)


class RepeatedError(Exception):
    """The request was carried out before; ``answer`` is what it was answered then."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("This request was already carried out.")
