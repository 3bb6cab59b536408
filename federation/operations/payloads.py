# SPDX-License-Identifier: Apache-2.0
"""Operations to canonical bytes and back; `docs/protocol/federation.md` §3 has every member."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from federation.errors import Alarm, MalformedError
from federation.forms import names
from federation.forms.canonical import read, written
from federation.forms.fields import (
    Check,
    Fields,
    many,
    members,
    one_of,
    or_null,
    packed,
    unpadded,
    whole,
)
from federation.operations import bodies
from federation.operations.envelopes import Sealed
from federation.operations.values import LIFE, Op, Operation, Policy

VERSION = 1
SALT = 16  # bytes
MAX_SETS = 64
MAX_EPOCH = 2**31 - 1

_op = one_of(*Op)
_tlp = one_of("red", "amber+strict", "amber", "green", "clear")
_onward = one_of("none", "set")
_act = one_of("match", "review", "research")
_sets = many(names.set_id, 1, MAX_SETS)
_time = whole(0)
# What each operation is about.
_TARGETS: dict[Op, Check[str]] = {
    Op.ASSERT: names.indicator_id,
    Op.REVOKE: names.revocable_id,
    Op.OPINION: names.entry_id,
    Op.POLICY: names.indicator_id,
    Op.EXCLUDE: names.exclude_id,
    Op.PURGE: names.indicator_id,
    Op.SET: names.set_id,
}


@dataclass(frozen=True)
class Written:
    """An operation and the bytes that say it."""

    operation: Operation
    payload: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        """SHA-256 of the bytes, hex: the same whoever signs them, and however often."""
        return operation_id(self.payload)


def operation_id(payload: bytes) -> str:
    """Name an operation by its bytes, whatever they say."""
    return hashlib.sha256(payload).hexdigest()


def write(operation: Operation) -> Written:
    """Write an operation in the one way.

    Raises:
        MalformedError: It breaks a rule that whoever reads it would hold against it.
    """
    payload = written(_members(operation))
    if read_operation(payload).operation != operation:
        raise MalformedError("an operation that cannot be said")
    return Written(operation, payload)


def operation_in(sealed: Sealed | None) -> Operation | None:
    """What a sealed operation says that was verified before; None: its bytes are gone."""
    return None if sealed is None else read_operation(sealed.payload).operation


def read_operation(payload: bytes) -> Written:
    """Read an operation; nothing is known yet of who says it.

    Raises:
        MalformedError: It is not canonical, or no operation of this version.
    """
    fields = Fields(read(payload), "the operation")
    fields.take("v", whole(VERSION, VERSION))
    op = Op(fields.take("op", _op))
    origin = fields.take("origin", names.hub_name)
    operation = Operation(
        op=op,
        origin=origin,
        operator=fields.take("operator", names.hub_name),
        operator_kind=fields.take("kind", names.term),
        author=fields.take("author", names.author_name),
        epoch=fields.take("ep", whole(1, MAX_EPOCH)),
        n=fields.take("n", whole(1)),
        previous=fields.take("prev", or_null(names.operation_id)),
        target=fields.take("target", _TARGETS[op]),
        created=fields.take("created", _time),
        expires=fields.take("expires", _time),
        keep=fields.take("keep", _time),
        policy=_policy(fields.take("policy", members)),
        body=bodies.read(op, fields.take("body", members)),
        salt=fields.take("salt", packed(SALT)),
    )
    fields.end()
    _check(operation)
    return Written(operation, payload)


def _check(operation: Operation) -> None:
    """What no single member tells."""
    if not operation.author.startswith(operation.origin + "/"):
        raise MalformedError("the author is of another hub", Alarm.WRONG_ORIGIN)
    if len(operation.salt) != SALT:
        raise MalformedError(f"the salt has not {SALT} bytes")
    # In a later epoch a register's first version may follow one of an earlier, or nothing.
    if operation.previous is None and operation.n != 1:
        raise MalformedError("only the first version of a register has none before it")
    if operation.previous is not None and operation.version == (1, 1):
        raise MalformedError("nothing is before the very first version of a register")
    if not operation.created < operation.expires <= operation.keep <= operation.created + LIFE:
        raise MalformedError("not created < expires <= keep <= two years")
    if operation.op is Op.OPINION and len(operation.policy.sets) != 1:
        raise MalformedError("an opinion is of one set")
    if operation.op is Op.SET and operation.policy.sets != (operation.target,):
        raise MalformedError("a manifest is for the hubs of its set")


def _policy(said: dict[str, Any]) -> Policy:
    fields = Fields(said, "the policy")
    policy = Policy(
        tlp=fields.take("tlp", _tlp),
        sets=fields.take("sets", _sets),
        onward=fields.take("onward", _onward),
        act=fields.take("act", _act),
    )
    fields.end()
    return policy


def _members(operation: Operation) -> dict[str, Any]:
    policy = operation.policy
    return {
        "v": VERSION,
        "op": operation.op.value,
        "origin": operation.origin,
        "operator": operation.operator,
        "kind": operation.operator_kind,
        "author": operation.author,
        "ep": operation.epoch,
        "n": operation.n,
        "prev": operation.previous,
        "target": operation.target,
        "created": operation.created,
        "expires": operation.expires,
        "keep": operation.keep,
        "policy": {
            "tlp": policy.tlp,
            "sets": list(policy.sets),
            "onward": policy.onward,
            "act": policy.act,
        },
        "body": bodies.members_of(operation.body),
        "salt": unpadded(operation.salt),
    }
