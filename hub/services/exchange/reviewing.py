# SPDX-License-Identifier: Apache-2.0
"""After a manifest changed: let what is held in its set be what may come from its hubs now.

What a hub said in a set that others passed on could not be taken back here once we are named
together no more: nobody would tell. So it is over then. Where it is named again, what it said is
there again, as its registers have kept it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.operations.payloads import operation_in
from federation.operations.values import Assert, Operation
from hub.domain.changes import INDICATOR, SYSTEM, Event
from hub.domain.errors import BadInputError
from hub.domain.indicators import ERASED, WITHDRAWN, Draft, Indicator
from hub.ports import Hub, Work
from hub.ports.exchange import Kept
from hub.services.exchange.drafting import draft_of
from hub.services.exchange.effects import Effects
from hub.services.exchange.holding import keep_in
from hub.services.exchange.origins import Source, sources_now
from hub.services.exchange.speakers import Speakers

AT_ONCE = 200


@dataclass(frozen=True)
class _Held:
    """A register that others write, what it says, and what came of it."""

    kept: Kept
    said: Operation
    indicator: Indicator | None

    def is_in(self, set_key: int) -> bool:
        """Whether it is live in a set."""
        one = self.indicator
        return one is not None and one.is_live and set_key in one.sets


def review(hub: Hub, *, limit: int = AT_ONCE) -> int:
    """Look at the next registers for a set whose manifest changed; returns how many."""
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        todo = work.manifests.reviews()
        if not todo:
            return 0
        set_key, after = todo[0]
        names = {one.key: name for name, one in work.manifests.homes().items()}
        kept = work.exchange.foreign(after, limit)
        held = _held(kept, names.get(set_key, ""), now, work)
        known = sources_now(work, now)
    last = kept[-1].key if kept else None
    may = [_may_be_in(one, set_key, known) for one in held]
    with hub.begin.writing(SYSTEM) as work:
        if not work.manifests.reviewed(set_key, expected=after, after=last):
            return 0
        for one, it_may in zip(held, may, strict=True):
            if one.is_in(set_key) and not it_may and one.indicator is not None:
                _leave(one.indicator, set_key, hub, work)
        back = [
            one for one, it_may in zip(held, may, strict=True) if it_may and not one.is_in(set_key)
        ]
        _come_back(back, known, hub, work)
        work.commit()
    return len(kept) or 1


def _held(kept: Sequence[Kept], set_id: str, now: int, work: Work) -> list[_Held]:
    """What says something in a set, and is neither over nor erased."""
    sealed = work.exchange.sealed(one.operation for one in kept if one.operation is not None)
    known = work.indicators.by_keys(one.indicator for one in kept if one.indicator is not None)
    found = []
    for one in kept:
        said = operation_in(sealed.get(one.operation or 0))
        if one.other is not None or said is None or not isinstance(said.body, Assert):
            continue
        indicator = known.get(one.indicator or 0)
        is_over = said.expires <= now or (indicator is not None and indicator.state == ERASED)
        if set_id in said.policy.sets and not is_over:
            found.append(_Held(one, said, indicator))
    return found


def _may_be_in(one: _Held, set_key: int, known: Mapping[str, Source]) -> bool:
    source = known.get(one.said.origin)
    sets = source.sets if source is not None else {}
    return set_key in {sets.get(name) for name in one.said.policy.sets}


def _come_back(held: Sequence[_Held], known: Mapping[str, Source], hub: Hub, work: Work) -> None:
    by_origin: dict[str, list[_Held]] = {}
    for one in held:
        by_origin.setdefault(one.said.origin, []).append(one)
    for origin, some in by_origin.items():
        partner = work.partners.heard_of(origin)
        if partner is None:
            continue
        drafts = {one.kept.ids[0].hex(): _drafted(one.said, known[origin]) for one in some}
        ready = {name: one for name, one in drafts.items() if one is not None}
        effects = Effects(partner, Speakers(known, hub, work), ready, hub, work)
        kept = effects.of_items(
            {
                one.kept.register: (one.kept, one.kept.ids[0].hex(), one.said)
                for one in some
                if one.kept.ids[0].hex() in ready
            }
        )
        work.exchange.keep(list(kept.values()))


def _drafted(said: Operation, source: Source) -> Draft | None:
    try:
        return draft_of(said, source)
    except BadInputError:
        return None


def _leave(known: Indicator, set_key: int, hub: Hub, work: Work) -> None:
    """Take an indicator out of a set, and end it if it is in no other."""
    if not known.is_live:
        return
    sets = tuple(one for one in known.sets if one != set_key)
    if not sets:
        gone, deltas = work.indicators.end(
            known, kind="withdraw", state=WITHDRAWN, at=hub.clock(), reason=None
        )
        work.record(Event(INDICATOR, gone.key, gone.n, {"what": "withdraw"}, deltas))
        return
    keep_in(sets, known, by=None, at=hub.clock(), work=work)
