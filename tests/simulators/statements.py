# SPDX-License-Identifier: Apache-2.0
"""Operations as a test needs them: right in everything but what the test says."""

from dataclasses import replace
from typing import Any

from federation.operations.values import (
    Assert,
    Exclude,
    Frames,
    Manifest,
    NamedHub,
    Op,
    Operation,
    Opinion,
    Policy,
    PolicyChange,
    Purge,
    Revoke,
    SignalCode,
    Word,
)

NOW = 1_800_000_000
DAY = 86_400
ORIGIN = "hub-a.example"
IND, SET, EXC = "ind_" + "a" * 26, "set_" + "b" * 26, "exc_" + "c" * 26
WORDS: dict[str, Word] = {
    "harm": ("grooming",),
    "use": "offer",
    "depicts": "unknown",
    "basis": "own-service-human",
}
PDQ = SignalCode("pdq", bytes(range(32)), 98)

BODIES: dict[Op, tuple[Any, str]] = {
    Op.ASSERT: (Assert("picture", (PDQ,), WORDS), IND),
    Op.REVOKE: (Revoke("wrong-harm"), IND),
    Op.OPINION: (Opinion("disagree", "benign", None, 2, "near"), f"{ORIGIN}/{IND}/{SET}"),
    Op.POLICY: (PolicyChange(3), IND),
    Op.EXCLUDE: (Exclude(PDQ, 31, "benign"), EXC),
    Op.PURGE: (Purge("unlawful-to-share"), IND),
    Op.SET: (Manifest("Games", "amber", "set", (NamedHub(ORIGIN, "0" * 64),)), SET),
}
VIDEO = Assert(
    "video",
    (SignalCode("sha256", bytes(32)),),
    {**WORDS, "list": "Größe", "assessed_by": 2, "refs": ()},
    Frames(bytes(64), bytes(8), b"\x62\xff"),
    "vpdq/1",
    {"newly-named": "grooming"},
)


def operation(op: Op = Op.ASSERT, origin: str = ORIGIN, **changed: Any) -> Operation:
    """An operation that holds now."""
    body, target = BODIES[op]
    said = Operation(
        op=op,
        origin=origin,
        operator="games.example",
        operator_kind="platform",
        author=f"{origin}/m/{'k' * 16}",
        epoch=1,
        n=1,
        previous=None,
        target=target,
        created=NOW - DAY,
        expires=NOW + 30 * DAY,
        keep=NOW + 30 * DAY,
        policy=Policy("amber", (SET,)),
        body=body,
        salt=bytes(16),
    )
    return replace(said, **changed)
