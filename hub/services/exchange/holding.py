# SPDX-License-Identifier: Apache-2.0
"""What a partner takes back beyond its pace: disputed for a day, or until a person has looked.

A hub that was taken over could silence all it ever said. A dispute shows at once that something is
wrong with an indicator, and silences nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from federation.operations.values import Register
from hub.domain.changes import APPEAL, ERASE, INDICATOR, SYSTEM, Event
from hub.domain.indicators import ERASED, WITHDRAWN, Indicator
from hub.domain.pace import DAY
from hub.ports import Hub, Work
from hub.services.exchange.narrowing import said_now
from hub.services.exchange.origins import Source, sources_now

GROUND = "change-guard"
AT_ONCE = 200


def hold(known: Indicator, *, at: datetime, hub: Hub, work: Work) -> None:
    """Dispute an indicator that was taken back too fast."""
    if any(
        one.ground == GROUND and one.closed_at is None for one in work.opinions.appeals(known.key)
    ):
        return
    name = hub.new_id("apl_")
    work.opinions.open_appeal(
        indicator=known.key, operator=known.operator, public_id=name, ground=GROUND, at=at
    )
    work.record(Event(APPEAL, known.key, details={"appeal": name, "open": True}))


def let_go(known: Indicator, *, at: datetime, work: Work) -> None:
    """End the dispute of an indicator that is said anew, or has gone."""
    for one in work.opinions.appeals(known.key):
        if one.ground == GROUND and one.closed_at is None:
            work.opinions.close_appeal(one.key, upheld=False, at=at)
            work.record(Event(APPEAL, known.key, details={"appeal": one.id, "open": False}))


def keep_in(
    sets: tuple[int, ...],
    known: Indicator,
    *,
    by: str | None,
    at: datetime,
    work: Work,
    expires: datetime | None = None,
) -> None:
    """Let an indicator say what it says in some of its sets only.

    Args:
        sets: internal keys of those, at least one.
        known: the indicator.
        by: name of the partner by whom that came; None: it follows from what is settled here.
        at: the present moment.
        work: a transaction that writes.
        expires: until when; None: as before.
    """
    label, is_new = work.indicators.intern(sets)
    fresh, deltas = work.indicators.revise(
        known, words=known.words, sets=sets, expires=expires or known.expires, label=label,
        party=known.party, at=at,
    )  # fmt: skip
    details: dict[str, Any] = {"what": "assert"}
    if by is not None:
        details["partner"] = by
    if is_new:
        details["label_sets"] = list(sets)
    work.record(Event(INDICATOR, fresh.key, fresh.n, details, deltas))


def erase(over: Mapping[Register, Indicator], *, hub: Hub, work: Work) -> None:
    """Erase indicators of other hubs, and the bytes in which their authors said them."""
    if not over:
        return
    # The list first: a crash in between leaves what the next start erases again.
    hub.erasures.add(*over)
    for register, known in over.items():
        gone, deltas = work.indicators.end(known, kind="erase", state=ERASED, at=hub.clock())
        work.indicators.purge(known.key)
        work.exchange.purge(register)
        work.record(Event(INDICATOR, gone.key, gone.n, {"what": ERASE}, deltas))


def end_held(hub: Hub, *, partner: str | None = None) -> int:
    """Let go what was taken back a day ago, or all that one partner took back; returns how many.

    What is said in fewer sets, or for a shorter time, is so from now on. What its origin erased is
    erased here too. Of a partner in quarantine time lets nothing go.

    Args:
        hub: ours.
        partner: whose revokes somebody has looked at; None: only time decides.
    """
    now = hub.clock()
    before = now if partner is not None else now - DAY
    with hub.begin.reading() as work:
        held = work.opinions.held(GROUND, before, partner, AT_ONCE)
    if not held:
        return 0
    with hub.begin.writing(SYSTEM) as work:
        speak = sources_now(work, int(now.timestamp()))
        for key in held:
            public_id = work.indicators.by_keys([key])[key].id
            known = work.indicators.find(public_id, lock=True)
            if known is not None:
                let_go(known, at=now, work=work)
                _end(known, speak, hub, work)
        work.commit()
    return len(held)


def _end(known: Indicator, speak: Mapping[str, Source], hub: Hub, work: Work) -> None:
    source = work.exchange.of_indicator(known.key)
    purge = None if source is None else replace(source.register, kind="purge")
    if source is not None and purge is not None and work.exchange.registers([purge]):
        erase({source.register: known}, hub=hub, work=work)
        return
    if not known.is_live:
        return
    says = None if source is None else said_now(source, speak, hub.clock(), work)
    if says is not None:
        sets, expires = says
        keep_in(sets, known, by=None, at=hub.clock(), work=work, expires=expires)
        return
    gone, deltas = work.indicators.end(known, kind="withdraw", state=WITHDRAWN, at=hub.clock())
    work.record(Event(INDICATOR, gone.key, gone.n, {"what": "withdraw"}, deltas))
