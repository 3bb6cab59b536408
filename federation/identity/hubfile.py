# SPDX-License-Identifier: Apache-2.0
"""``hub.json`` to canonical bytes and back; `docs/protocol/federation.md` has every member.

Keys of notes and the policy of witnesses are checked as far as text shows; the rest is known
above, where notes are.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from federation.errors import MalformedError
from federation.forms import names
from federation.forms.canonical import read, within_bounds, written
from federation.forms.fields import Check, Fields, many, members, or_null, text, whole
from federation.identity.addresses import base_url
from federation.identity.consistency import check
from federation.identity.values import (
    ClosedLog,
    HubFile,
    Log,
    Operator,
    OpKey,
    ReqKey,
    RetiredKey,
)
from federation.identity.vkeys import vkey
from federation.keys import PublicKey

NAME = "hub.json"
VERSION = 1
MAX_OPERATORS = 1000
MAX_KEYS = 500
MAX_VKEYS = 16
MAX_LOGS = 100
MAX_EPOCH = 2**31 - 1
MAX_POLICY = 64 * 1024  # characters

# Whose an origin and an id are is checked against the hub's name, which is read as one.
_origin = text(r"[a-z0-9.-]{1,253}/fed/[1-9][0-9]{0,8}", "a log: <hub>/fed/<number>")
_req_key_id = text(r"[a-z0-9.-]{1,253}#req-[1-9][0-9]{0,8}", "an id: <hub>#req-<number>")
_op_key_id = text(r"[a-z0-9#._:-]{1,300}", "an id: lower-case letters, digits and #._:-")
_policy = text(rf"(?:|[\t\n\x20-\x7e\xa0-\U0010ffff]{{0,{MAX_POLICY}}}\n)", "lines of a policy")
_epoch = whole(1, MAX_EPOCH)
_size = whole(0)
T = TypeVar("T")


def write(hub: HubFile) -> bytes:
    """Write a hub's file in the one way.

    Raises:
        MalformedError: It breaks a rule that whoever reads it would hold against it.
    """
    payload = written(_members(hub))
    if read_hub_file(payload) != hub:
        raise MalformedError("a hub's file that cannot be said")
    return payload


def read_hub_file(payload: bytes) -> HubFile:
    """Read a hub's file; who says it is not known from it.

    Raises:
        MalformedError: It is not canonical, or no hub's file of this version.
        WeakKeyError: Anybody could sign with one of its keys.
    """
    fields = Fields(read(payload), "the hub's file")
    fields.take("v", whole(VERSION, VERSION))
    hub = HubFile(
        hub=fields.take("hub", names.hub_name),
        operator=_operator(fields.take("operator", members)),
        base=fields.take("base", base_url),
        operators=fields.take("operators", many(names.hub_name, 1, MAX_OPERATORS)),
        log=_log(fields.take("log", members)),
        op_keys=fields.take("op_keys", _each(_op_key, 1, MAX_KEYS)),
        req_keys=fields.take("req_keys", _each(_req_key, 0, MAX_KEYS)),
        witness=_witness(fields.take("witness", or_null(members))),
        witness_policy=fields.take("witness_policy", _policy),
        min_version=fields.take("min_version", whole(1)),
        extra=_extra(fields.maybe("x", members)),
    )
    fields.end()
    check(hub)
    return hub


def _operator(said: dict[str, Any]) -> Operator:
    fields = Fields(said, "the operator")
    operator = Operator(fields.take("id", names.hub_name), fields.take("kind", names.term))
    fields.end()
    return operator


def _log(said: dict[str, Any]) -> Log:
    fields = Fields(said, "the log")
    log = Log(
        origin=fields.take("origin", _origin),
        vkeys=fields.take("vkeys", many(vkey, 1, MAX_VKEYS)),
        retired=fields.take("retired", _each(_retired, 0, MAX_KEYS)),
        closed=fields.take("closed", _each(_closed, 0, MAX_LOGS)),
    )
    fields.end()
    return log


def _retired(said: dict[str, Any]) -> RetiredKey:
    fields = Fields(said, "a retired key")
    key = RetiredKey(
        vkey=fields.take("vkey", vkey),
        size=fields.take("size", _size),
        root=fields.take("root", names.sha256_hex),
    )
    fields.end()
    return key


def _closed(said: dict[str, Any]) -> ClosedLog:
    fields = Fields(said, "a closed log")
    log = ClosedLog(
        origin=fields.take("origin", _origin),
        size=fields.take("size", _size),
        root=fields.take("root", names.sha256_hex),
        epoch=fields.take("epoch", _epoch),
    )
    fields.end()
    return log


def _op_key(said: dict[str, Any]) -> OpKey:
    fields = Fields(said, "a key for operations")
    key = OpKey(
        id=fields.take("id", _op_key_id),
        public=fields.take("public", _public),
        epoch=fields.take("epoch", _epoch),
        first=fields.take("from", _size),
        until=fields.take("until", or_null(_size)),
    )
    fields.end()
    return key


def _req_key(said: dict[str, Any]) -> ReqKey:
    fields = Fields(said, "a key for requests")
    key = ReqKey(fields.take("id", _req_key_id), fields.take("public", _public))
    fields.end()
    return key


def _witness(said: dict[str, Any] | None) -> str | None:
    if said is None:
        return None
    fields = Fields(said, "the witness")
    key = fields.take("vkey", vkey)
    fields.end()
    return key


def _extra(said: dict[str, Any] | None) -> bytes | None:
    return None if said is None else written(within_bounds(said))


def _public(value: Any) -> PublicKey:
    return PublicKey(bytes.fromhex(names.sha256_hex(value)))


def _each(read_one: Callable[[dict[str, Any]], T], least: int, most: int) -> Check[tuple[T, ...]]:
    return many(lambda value: read_one(members(value)), least, most)


def _members(hub: HubFile) -> dict[str, Any]:
    said: dict[str, Any] = {
        "v": VERSION,
        "hub": hub.hub,
        "operator": {"id": hub.operator.id, "kind": hub.operator.kind},
        "base": hub.base,
        "operators": list(hub.operators),
        "log": _log_members(hub.log),
        "op_keys": [_op_key_members(key) for key in hub.op_keys],
        "req_keys": [{"id": key.id, "public": key.public.raw.hex()} for key in hub.req_keys],
        "witness": None if hub.witness is None else {"vkey": hub.witness},
        "witness_policy": hub.witness_policy,
        "min_version": hub.min_version,
    }
    return said if hub.extra is None else {**said, "x": orjson.loads(hub.extra)}


def _log_members(log: Log) -> dict[str, Any]:
    return {
        "origin": log.origin,
        "vkeys": list(log.vkeys),
        "retired": [{"vkey": key.vkey, "size": key.size, "root": key.root} for key in log.retired],
        "closed": [
            {"origin": one.origin, "size": one.size, "root": one.root, "epoch": one.epoch}
            for one in log.closed
        ],
    }


def _op_key_members(key: OpKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "public": key.public.raw.hex(),
        "epoch": key.epoch,
        "from": key.first,
        "until": key.until,
    }
