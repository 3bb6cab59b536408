# SPDX-License-Identifier: Apache-2.0
"""What is said once more in a new epoch: what holds in each register, as it was said.

A policy is not said again. What it took away, the assert that is said again does not name; and it
goes for no assert of a later epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from federation.operations.payloads import operation_in
from federation.operations.values import Op, Operation, PolicyChange, Register, Revoke
from hub.ports import Work
from hub.ports.exchange import Kept
from hub.services.exchange.planning import Draft

INDICATOR, POLICY = "indicator", "policy"


def repeated(registers: Sequence[Kept], work: Work) -> list[Draft]:
    """What holds in some registers, to be said anew; each of them has something to say."""
    names = (one.register for one in registers if one.register.kind == INDICATOR)
    policies = work.exchange.registers(replace(name, kind=POLICY) for name in names)
    said = _said([*registers, *policies.values()], work)
    return [
        _draft(kept, _narrowed(operation, said.get(replace(kept.register, kind=POLICY))))
        for kept in registers
        if (operation := said.get(kept.register)) is not None
    ]


def _said(registers: Iterable[Kept], work: Work) -> Mapping[Register, Operation]:
    kept = list(registers)
    sealed = work.exchange.sealed(one.operation for one in kept if one.operation is not None)
    read = {one.register: operation_in(sealed.get(one.operation or 0)) for one in kept}
    return {name: said for name, said in read.items() if said is not None}


def _narrowed(said: Operation, policy: Operation | None) -> Operation:
    """What is said of an item, in the sets that were left to it."""
    if said.op is not Op.ASSERT or policy is None or not isinstance(policy.body, PolicyChange):
        return said
    if said.version > (policy.epoch, policy.body.upto):
        return said
    left = tuple(one for one in said.policy.sets if one not in policy.policy.sets)
    if not left:
        return replace(said, op=Op.REVOKE, body=Revoke())
    return replace(said, policy=replace(said.policy, sets=left))


def _draft(kept: Kept, said: Operation) -> Draft:
    return Draft(
        kept=kept,
        register=kept.register,
        about=kept.about,
        op=said.op,
        operator=said.operator,
        operator_kind=said.operator_kind,
        policy=said.policy,
        body=said.body,
        expires=datetime.fromtimestamp(said.expires, UTC),
        indicator=kept.indicator or 0,
        said=kept.said or 0,
        keep=said.keep,
    )
