# SPDX-License-Identifier: Apache-2.0
"""Match what a platform sees against what is known: search once, describe once, answer.

"No match" is a claim: an item is answered ``none`` only when every signal it asked about was whole
and the index was in step with the truth.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from hub.domain.entries import Described
from hub.domain.errors import Flaw, UnavailableError
from hub.domain.sharing import LOOKUP, Asker
from hub.domain.standing import EXPIRED, REVIEW, WITHDRAWN, Verdict, at_most_review, best
from hub.ports import Hub
from hub.services.ledger import CODES, HITS
from matching.batches import Batch, Hits
from matching.signals import ORDER

PER_ITEM, PER_REQUEST = 100, 20_000
NEAR_BITS = 16


@dataclass(frozen=True)
class Query:
    """A request to match, checked.

    Attributes:
        batch: every code that can be searched, with its item's number.
        refs: the asker's own name of each item, or None.
        flaws: what is wrong with an item, by its number; such an item is answered ``error``.
        unsearchable: items without a strong code that could be searched.
        signals: the indexes of the signals each item asked about.
    """

    batch: Batch
    refs: Sequence[str | None]
    flaws: Mapping[int, Flaw]
    unsearchable: frozenset[int]
    signals: Sequence[frozenset[str]]
    explain: bool = False


class _Found(NamedTuple):
    """One indicator that one item hit: its best strong row, or its best weak one."""

    indicator: int
    signal: str
    distance: int
    asked: int
    stored: int
    support: tuple[str, ...] = ()
    weak: bool = False

    @property
    def band(self) -> str:
        """How near, without saying how far: a distance would give away the stored code."""
        if self.asked or self.stored:
            return "derived"
        if self.distance == 0:
            return "exact"
        return "near" if self.weak or self.distance <= NEAR_BITS else "edge"


def find_matches(query: Query, *, asker: Asker, hub: Hub) -> dict[str, Any]:
    """Answer every item of a query; the answer is ready to be sent.

    Raises:
        BudgetError: The operator's day is used up.
        UnavailableError: Nothing can be answered: the index was never whole.
    """
    _admit(query, asker, hub)
    freshness = hub.follower.freshness()
    if freshness.position == 0 and not freshness.complete:
        raise UnavailableError("The index is being loaded; try again in a moment.")
    # The state first: the mask then knows every label that a row of it carries.
    state = hub.engine.state
    mask = hub.directory.mask(asker)
    began = time.perf_counter()
    hits = hub.engine.search(query.batch, mask, state=state)
    codes = {part.signal.name: len(part.codes) for part in query.batch.parts}
    hub.metrics.match(codes, time.perf_counter() - began)
    described = _describe(hits, asker, hub)
    found, truncated = _by_item(hits), _truncated(hits)
    room = 1
    while described is not None and _lacks(hits, described):
        # What holds no more took places under the cap: look again with more and more room.
        room *= 10
        hits = hub.engine.search(
            query.batch,
            mask,
            per_item=room * PER_ITEM,
            per_request=room * PER_REQUEST,
            state=state,
        )
        described = _describe(hits, asker, hub)
        found, truncated = _capped(_by_item(hits), described, hits)
    _count(found, described, asker, hub)
    hub.walks.hand_over(asker.operator, query.batch, hits)
    teller = _Teller(described, asker, hub, complete=freshness.complete)
    return {
        "complete": freshness.complete,
        "index": {
            "timeline": hits.timeline,
            "position": hits.position,
            "head": max(freshness.head, hits.position),
            "lag_ms": freshness.lag_ms or 0,
        },
        "answers": _answers(query, found, truncated, teller),
    }


def _admit(query: Query, asker: Asker, hub: Hub) -> None:
    hub.ledger.spend(CODES, asker.operator, sum(len(part.codes) for part in query.batch.parts))
    # What this request will be told is not known yet: it is refused once the day's hits are over.
    hub.ledger.spend(HITS, asker.operator, 0)
    hub.walks.admit(asker.operator)


def _describe(hits: Hits, asker: Asker, hub: Hub) -> dict[int, list[Described]] | None:
    """Every entry of the hits that holds and that the asker may see; None if the truth is away."""
    if not len(hits):
        return {}
    now = hub.clock()
    try:
        entries = hub.describer.described(
            set(hits.indicator.tolist()), sorted(asker.sets_with(LOOKUP))
        )
    except UnavailableError:
        return None
    by_indicator: dict[int, list[Described]] = defaultdict(list)
    for entry in entries:
        # What has expired since the last sweep is still in the index.
        if now < entry.entry.expires:
            by_indicator[entry.indicator].append(entry)
    return by_indicator


def _truncated(hits: Hits) -> set[int]:
    """The items of which a cap hid something: none where nothing was hit."""
    return set(np.flatnonzero(hits.truncated).tolist()) if len(hits) else set()


def _lacks(hits: Hits, described: Mapping[int, Any]) -> bool:
    """Whether a cap hid something, of an item that has places left or nothing at all."""
    cut = _truncated(hits)
    if not cut:
        return False
    pairs = set(zip(hits.item.tolist(), hits.indicator.tolist(), strict=True))
    known = Counter(item for item, indicator in pairs if indicator in described)
    most = PER_ITEM if known.total() < PER_REQUEST else 1
    return any(known[item] < most for item in cut)


def _capped(
    found: Mapping[int, list[_Found]], described: Mapping[int, Any] | None, hits: Hits
) -> tuple[dict[int, list[_Found]], set[int]]:
    """What the truth knows of it, cut to the caps as the engine cuts: best ones of all first."""
    known = {
        item: [one for one in some if described is None or one.indicator in described]
        for item, some in found.items()
    }
    places = sorted(
        (place, item) for item, some in known.items() for place in range(min(len(some), PER_ITEM))
    )
    told = Counter(item for _, item in places[:PER_REQUEST])
    cut = {item for item, some in known.items() if len(some) > told[item]}
    return {item: some[: told[item]] for item, some in known.items()}, cut | _truncated(hits)


def _by_item(hits: Hits) -> dict[int, list[_Found]]:
    """What each item hit, the best first: one for each indicator, whatever its signals."""
    if not len(hits):
        return {}
    rows: dict[tuple[int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
    columns = (hits.item, hits.indicator, hits.signal, hits.distance, hits.asked, hits.stored)
    for item, indicator, signal, distance, asked, stored in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        rows[item, indicator].append((signal, distance, asked, stored))
    found: dict[int, list[_Found]] = defaultdict(list)
    for (item, indicator), some in rows.items():
        found[item].append(_found(indicator, some))
    return found


def _found(indicator: int, rows: list[tuple[int, int, int, int]]) -> _Found:
    strong = [row for row in rows if ORDER[row[0]].strong]
    if len(rows) == 1:
        signal, distance, asked, stored = rows[0]
        return _Found(indicator, ORDER[signal].name, distance, asked, stored, (), not strong)
    # Plain before derived, then the nearest.
    first = min(strong or rows, key=lambda row: (bool(row[2] or row[3]), row[1]))
    names = {ORDER[row[0]].name for row in rows}
    name = ORDER[first[0]].name
    return _Found(indicator, name, *first[1:], tuple(sorted(names - {name})), not strong)


def _count(
    found: Mapping[int, Sequence[_Found]],
    described: Mapping[int, Sequence[Described]] | None,
    asker: Asker,
    hub: Hub,
) -> None:
    """Note who had a hit on what: it decides whether a later contribution is a copy."""
    told = [one.indicator for some in found.values() for one in some]
    if described is not None:
        others = {
            key
            for key, entries in described.items()
            if any(entry.operator != asker.operator for entry in entries)
        }
        told = [key for key in told if key in others]
    if told:
        hub.ledger.count_hits(asker.operator, told)


# -- what is told ---------------------------------------------------------------------------------


def _answers(
    query: Query,
    found: Mapping[int, Sequence[_Found]],
    truncated: Collection[int],
    teller: "_Teller",
) -> list[dict[str, Any]]:
    """An answer for each item; those that hit nothing share one, and cost next to nothing."""
    missed = {signals: teller.missed(signals) for signals in set(query.signals)}
    answers = [missed[signals] for signals in query.signals]
    for number in query.unsearchable:
        answers[number] = {"answer": "unknown", "why": "unsearchable"}
    for number, some in found.items():
        told = teller.hits(some)
        if told:
            answers[number] = _hit(told, truncated=number in truncated)
        elif number in truncated:
            answers[number] = {"answer": "unknown", "why": "index"}  # never "none" of what was cut
    if query.explain:
        for number, answer in enumerate(answers):
            explained = _explained(number, query, found.get(number, ()), teller)
            answers[number] = {**answer, "explain": explained}
    for number, flaw in query.flaws.items():
        answers[number] = {"answer": "error", "error": replace(flaw, index=number).told()}
    for number, ref in enumerate(query.refs):
        if ref is not None:
            answers[number] = {"ref": ref, **answers[number]}
    return answers


def _hit(told: list[tuple[Verdict, dict[str, Any]]], *, truncated: bool) -> dict[str, Any]:
    summary = best(verdict for verdict, _ in told)
    answer: dict[str, Any] = {
        "answer": "hit",
        "standing": summary.name if summary else "review",
        "operators": max(verdict.operators for verdict, _ in told),
        "hits": [hit for _, hit in told],
    }
    if truncated:
        answer |= {"truncated": True, "at_least": True}
    return answer


class _Teller:
    """Turns what was found into what is told."""

    def __init__(
        self,
        described: Mapping[int, Sequence[Described]] | None,
        asker: Asker,
        hub: Hub,
        *,
        complete: bool,
    ) -> None:
        self._complete = complete
        self._described = described
        self._asker = asker
        self._hub = hub
        self._now = hub.clock()
        self._verdicts: dict[tuple[int, int], Verdict] = {}

    def missed(self, signals: Iterable[str]) -> dict[str, Any]:
        """The answer to an item of those signals that hit nothing."""
        if self._may_say_none(signals):
            return {"answer": "none"}
        return {"answer": "unknown", "why": "index"}

    def _may_say_none(self, signals: Iterable[str]) -> bool:
        """Whether every row of those signals was there to be searched, as of now."""
        return self._complete and all(map(self._hub.engine.whole, signals))

    def hits(self, found: Iterable[_Found]) -> list[tuple[Verdict, dict[str, Any]]]:
        """Each entry that one item hit, nearest first, with what it says."""
        if self._described is None:
            return [self._unverified(one) for one in found]
        return [
            told
            for one in found
            for entry in self._described.get(one.indicator, ())
            if (told := self._told(one, entry)) is not None
        ]

    def own(self, found: Iterable[_Found]) -> list[dict[str, Any]]:
        """The distances to the asker's own contributions: nobody else's are ever told."""
        return [
            {"id": entry.indicator_id, "signal": one.signal, "distance": one.distance}
            for one in found
            for entry in (self._described or {}).get(one.indicator, ())[:1]
            if entry.operator == self._asker.operator
        ]

    def _told(self, one: _Found, entry: Described) -> tuple[Verdict, dict[str, Any]] | None:
        verdict = self._verdict(entry)
        if verdict.name in (WITHDRAWN, EXPIRED):
            return None
        # Only its contributor vouches for a stored derived code, and a weak signal only supports.
        if one.stored or one.weak:
            verdict = at_most_review(verdict)
        words = entry.words
        hit: dict[str, Any] = {
            "id": entry.indicator_id,
            "set": self._set_id(entry.set_key),
            "standing": verdict.name,
            "band": one.band,
            "signal": one.signal,
            "harm": words.get("harm", []),
            "use": words.get("use", "unknown"),
            "depicts": words.get("depicts", "unknown"),
            "priority": words.get("priority", "standard"),
            "operators": verdict.operators,
            "receipt": self._hub.receipts.make(
                entry.indicator, entry.set_key, self._asker.operator, self._now
            ),
        }
        if one.support:
            hit["support"] = list(one.support)
        if one.weak:
            hit["weak"] = True
        return verdict, hit

    def _verdict(self, entry: Described) -> Verdict:
        pair = entry.indicator, entry.set_key
        found = self._verdicts.get(pair)
        if found is None:
            found = self._verdicts[pair] = entry.verdict(self._now)
        return found

    def _unverified(self, one: _Found) -> tuple[Verdict, dict[str, Any]]:
        hit: dict[str, Any] = {
            "standing": REVIEW,
            "band": one.band,
            "signal": one.signal,
            "unverified": True,
        }
        if one.weak:
            hit["weak"] = True
        return Verdict(REVIEW, 0), hit

    def _set_id(self, key: int) -> str:
        named = self._hub.directory.set_keyed(key)
        return named.id if named else ""


def _explained(
    number: int, query: Query, found: Iterable[_Found], teller: _Teller
) -> dict[str, Any]:
    """What was searched, about the query alone, and the distances to the asker's own."""
    searched = {
        part.signal.name: {
            "codes": int((part.items == number).sum()),
            "radius": part.signal.near,
        }
        for part in query.batch.parts
        if (part.items == number).any()
    }
    return {"searched": searched, "own": teller.own(found)}
