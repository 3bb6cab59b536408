# SPDX-License-Identifier: Apache-2.0
"""What the hub does by the clock: expire, forget, prove that the index works, erase."""

import json
from collections.abc import Sequence

from hub.domain.changes import CONTROL, ERASE, INDICATOR, SYSTEM, Actor, Event
from hub.domain.errors import NotFoundError
from hub.domain.indicators import ERASED, EXPIRED
from hub.ports import Erased, Hub, Work
from matching.ports import Change

EXPIRE_AT_ONCE = 200


def expire_due(hub: Hub) -> int:
    """End indicators whose time is over; returns how many."""
    now = hub.clock()
    with hub.begin.reading() as work:
        due = work.indicators.due(now, EXPIRE_AT_ONCE)
    if not due:
        return 0
    with hub.begin.writing(SYSTEM) as work:
        for public_id in due:
            known = work.indicators.find(public_id, lock=True)
            if known is None or not known.is_live or known.expires > now:
                continue
            gone, deltas = work.indicators.end(known, kind="expire", state=EXPIRED, at=now)
            work.record(Event(INDICATOR, gone.key, gone.n, {"what": "expire"}, deltas))
        work.commit()
    return len(due)


def forget_old(hub: Hub) -> None:
    """Delete hit facts, budgets and idempotency rows that are too old to matter."""
    with hub.begin.writing(SYSTEM) as work:
        work.facts.forget(hub.clock())
        work.commit()


def toggle_control(slot: int, hub: Hub) -> int:
    """Turn a control slot on or off, as a change like any other; returns its new label."""
    with hub.begin.writing(SYSTEM) as work:
        label = work.history.toggle(slot)
        deltas = hub.control_delta(slot, label != 0)
        work.record(Event(CONTROL, details={"slot": slot, "label": label}, deltas=deltas))
        work.commit()
    return label


def erase(public_id: str, *, actor: Actor, hub: Hub) -> None:
    """Erase every code and value of an indicator for good, here and after any restore.

    The erasure list is written first: a crash in between leaves an indicator that the next restore
    or start erases again, never one that comes back.

    Raises:
        NotFoundError: There is no such indicator.
    """
    with hub.begin.reading() as work:
        known = work.indicators.find(public_id)
        if known is None:
            raise NotFoundError("indicator")
        source = work.exchange.of_indicator(known.key)
    is_own = source is None or source.said is not None
    erased: Erased = public_id if is_own or source is None else source.register
    hub.erasures.add(erased)
    erase_listed([erased], actor=actor, hub=hub)


def last_erasure(changes: Sequence[Change]) -> int:
    """The last position at which something was erased, among some changes; 0: nothing was."""
    erased = (c.position for c in changes if json.loads(c.note or b"{}").get("what") == ERASE)
    return max(erased, default=0)


def erase_listed(erased: Sequence[Erased], *, actor: Actor, hub: Hub) -> int:
    """Carry out erasures of a list; returns how many were still to be done."""
    done = 0
    for one in erased:
        with hub.begin.writing(actor) as work:
            known = work.indicators.find(_named(one, work), lock=True)
            if known is None or known.state == ERASED:
                continue
            gone, deltas = work.indicators.end(
                known, kind="erase", state=ERASED, at=hub.clock(), reason=None
            )
            work.indicators.purge(known.key)
            source = work.exchange.of_indicator(known.key)
            if source is not None and source.said is None:
                # Of our own it is said first, to whom it was told, that it is to be erased.
                work.exchange.purge(source.register)
            work.record(Event(INDICATOR, gone.key, gone.n, {"what": ERASE}, deltas))
            work.commit()
            done += 1
    return done


def _named(erased: Erased, work: Work) -> str:
    """The id that something has here by now; empty: it is not here."""
    if isinstance(erased, str):
        return erased
    kept = work.exchange.registers([erased]).get(erased)
    key = None if kept is None else kept.indicator
    known = {} if key is None else work.indicators.by_keys([key])
    return known[key].id if key in known else ""
