# SPDX-License-Identifier: Apache-2.0
"""What is left of what an author said, by what it said later of where that may be."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from federation.operations.payloads import operation_in
from federation.operations.values import Operation, PolicyChange
from hub.domain.errors import BadInputError
from hub.ports import Work
from hub.ports.exchange import Kept
from hub.services.exchange.drafting import draft_of
from hub.services.exchange.origins import UNKNOWN, Source

Later = Mapping[tuple[str, str, str], Operation]
"""Narrowing statements, by who may make them: origin, author, and public id of the target."""


def narrowed(targets: Collection[str], work: Work) -> Later:
    """The narrowing statements about some targets."""
    found = work.exchange.about(targets, ("policy",)) if targets else []
    sealed = work.exchange.sealed(one.operation for one in found if one.operation is not None)
    return {
        (one.register.origin, one.register.author, one.about): operation
        for one in found
        if (operation := operation_in(sealed.get(one.operation or 0))) is not None
    }


def left(
    said: Operation, sets: Sequence[int], later: Later, names: Mapping[str, int]
) -> tuple[int, ...]:
    """The sets that are left of an assert.

    Args:
        said: the assert.
        sets: internal keys of its sets.
        later: what may narrow it.
        names: public ids of the sets in which its hub may speak here, with their internal keys.
    """
    narrowing = later.get((said.origin, said.author, said.target))
    body = narrowing.body if narrowing is not None else None
    if (
        narrowing is None
        or not isinstance(body, PolicyChange)
        or said.version > (narrowing.epoch, body.upto)
    ):
        return tuple(sets)
    gone = {names.get(name) for name in narrowing.policy.sets}
    return tuple(one for one in sets if one not in gone)


def said_now(
    kept: Kept, known: Mapping[str, Source], now: datetime, work: Work
) -> tuple[tuple[int, ...], datetime] | None:
    """In which sets and until when a register says something; None: it says nothing by now.

    Args:
        kept: the register of an indicator.
        known: everybody whose word may come, by name.
        now: the present moment.
        work: a transaction.
    """
    key = kept.operation if kept.other is None else None
    said = operation_in(work.exchange.sealed([key]).get(key)) if key is not None else None
    if said is None or said.expires <= int(now.timestamp()):
        return None
    source = known.get(said.origin, UNKNOWN)
    try:
        draft = draft_of(said, source)
    except BadInputError:
        return None
    if draft is None:
        return None
    sets = left(said, draft.sets, narrowed([said.target], work), source.sets)
    return (sets, draft.expires) if sets else None
