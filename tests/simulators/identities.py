# SPDX-License-Identifier: Apache-2.0
"""A hub's file as a test needs it: right in everything but what the test says."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

from federation.identity.values import (
    ClosedLog,
    HubFile,
    Log,
    Operator,
    OpKey,
    ReqKey,
    RetiredKey,
)
from tests.support.signing import signer

HUB, BASE = "hub-a.example", "https://hub-a.example/fed/v1"
ORIGIN = f"{HUB}/fed/2"
POLICY = "witness one one.example+00000000+AAAA\nquorum one\n"


def vkey(name: str, number: int, kind: int = 1) -> str:
    """The key of that number as notes write it."""
    data = bytes([kind]) + signer(number).public.raw
    key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex()
    return f"{name}+{key_id}+{base64.b64encode(data).decode()}"


def op_key(number: int, epoch: int = 1, first: int = 0, until: int | None = None) -> OpKey:
    return OpKey(f"{HUB}#op-{number}", signer(number).public, epoch, first, until)


def hub_file(**changes: Any) -> HubFile:
    """A hub that has lost a log and a key, and changed what it could."""
    hub = HubFile(
        hub=HUB,
        operator=Operator("operator.example", "platform"),
        base=BASE,
        operators=("operator.example", "other.example"),
        log=Log(
            origin=ORIGIN,
            vkeys=(vkey(ORIGIN, 51),),
            retired=(RetiredKey(vkey(f"{HUB}/fed/1", 50), 7, "1" * 64),),
            closed=(ClosedLog(f"{HUB}/fed/1", 9, "2" * 64, 1),),
        ),
        op_keys=(op_key(60, until=4), op_key(61, epoch=2, first=4)),
        req_keys=(ReqKey(f"{HUB}#req-1", signer(70).public),),
        witness=vkey(f"{HUB}/w", 80, kind=4),
        witness_policy=POLICY,
    )
    return replace(hub, **changes)
