# SPDX-License-Identifier: Apache-2.0
"""What others say of an entry: opinions, appeals, and what became of a hit.

A dispute counts in the transaction that writes it; only what reaches the neighbours waits for the
neighbours job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.domain.answers import Answer, Once, at
from hub.domain.changes import APPEAL, OPINION, OUTCOME, Actor, Event
from hub.domain.errors import (
    BadInputError,
    ConflictError,
    Flaw,
    ForbiddenError,
    NotFoundError,
    flaw,
)
from hub.domain.indicators import ERASED, Indicator, Opinion
from hub.domain.sharing import LOOKUP, Asker
from hub.domain.standing import AGREE as SAYS_AGREE, DISAGREE as SAYS_DISAGREE
from hub.domain.vocabulary import VOCABULARY
from hub.domain.votes import AGREE, DISAGREE, Link
from hub.ports import Hub, Work

_SIDES = {SAYS_AGREE: AGREE, SAYS_DISAGREE: DISAGREE}


def actor(asker: Asker, request_id: str | None = None) -> Actor:
    """The asker, for the audit."""
    return Actor(asker.operator, asker.member, asker.key, request_id)


def give_opinion(
    public_id: str, opinion: Opinion, *, asker: Asker, hub: Hub, once: Once
) -> Answer:
    """Say what the asker's operator thinks of an entry; its latest word counts.

    Raises:
        NotFoundError: The asker may not look the entry up.
        ForbiddenError: The indicator is the operator's own: withdraw it instead.
    """
    if LOOKUP not in asker.grants.get(opinion.set_key, frozenset()):
        raise NotFoundError("set")
    with hub.begin.writing(actor(asker), once) as work:
        known = visible(public_id, asker, work)
        if opinion.set_key not in known.sets:
            raise NotFoundError("indicator")
        if known.operator == asker.operator:
            raise ForbiddenError("This is your own contribution: revise or withdraw it instead.")
        party = work.directory.party_of(asker.member)
        new_id = hub.new_id("opn_")
        key, n = work.opinions.add(
            opinion, indicator=known.key, public_id=new_id, party=party, at=hub.clock()
        )
        link = link_of(opinion, asker.operator, key)
        work.votes.link_opinion(known.key, opinion.set_key, link)
        details = {"set": opinion.set_key, "stance": opinion.stance, "reach": opinion.reach}
        work.record(Event(OPINION, known.key, n, details))
        return committed(work, Answer(201, {"id": new_id, "n": n, "position": at(0)}))


def link_of(opinion: Opinion, operator: int, key: int) -> Link:
    """The vote that an opinion is; on no side where it is none."""
    side = 0 if opinion.reason in VOCABULARY.no_vote_reasons else _SIDES.get(opinion.stance, 0)
    return Link(operator, side, opinion=key)


def open_appeal(public_id: str, ground: str, *, asker: Asker, hub: Hub, once: Once) -> Answer:
    """Open an appeal: until it is closed the indicator is disputed in every set."""
    with hub.begin.writing(actor(asker), once) as work:
        known = any_indicator(public_id, work)
        new_id = hub.new_id("apl_")
        work.opinions.open_appeal(
            indicator=known.key,
            operator=asker.operator,
            public_id=new_id,
            ground=ground,
            at=hub.clock(),
        )
        work.record(Event(APPEAL, known.key, details={"appeal": new_id, "open": True}))
        return committed(work, Answer(201, {"id": new_id, "position": at(0)}))


def close_appeal(appeal_id: str, *, upheld: bool, asker: Asker, hub: Hub, once: Once) -> Answer:
    """Close an appeal; an upheld one keeps the indicator disputed for good.

    Raises:
        NotFoundError: There is no such appeal.
        ConflictError: It is closed already.
    """
    with hub.begin.writing(actor(asker), once) as work:
        appeal = work.opinions.find_appeal(appeal_id)
        if appeal is None:
            raise NotFoundError("appeal")
        if appeal.closed_at is not None:
            raise ConflictError("This appeal is closed already.")
        work.opinions.close_appeal(appeal.key, upheld=upheld, at=hub.clock())
        details = {"appeal": appeal_id, "open": False, "upheld": upheld}
        work.record(Event(APPEAL, appeal.indicator, details=details))
        return committed(work, Answer(201, {"id": appeal_id, "upheld": upheld, "position": at(0)}))


def report_outcomes(
    rows: Sequence[Mapping[str, Any] | BadInputError], *, asker: Asker, hub: Hub, once: Once
) -> Answer:
    """Take receipts back with what became of them; one bad row never fails the good ones.

    Raises:
        BadInputError: Every row is bad.
    """
    results: list[dict[str, Any]] = []
    flaws: list[Flaw] = []
    with hub.begin.writing(actor(asker), once) as work:
        for index, row in enumerate(rows):
            try:
                if isinstance(row, BadInputError):
                    raise row
                offset = _report(row, index, asker, hub, work)
                results.append({"index": index, "position": at(offset)})
            except BadInputError as error:
                flaws += [Flaw(one.slug, one.detail, index, one.field) for one in error.flaws]
                results.append({"index": index, "error": told_flaws(error)})
        if all("error" in result for result in results):
            raise BadInputError(flaws)
        return committed(work, Answer(200, {"results": results}))


def _report(row: Mapping[str, Any], index: int, asker: Asker, hub: Hub, work: Work) -> int:
    receipt = hub.receipts.read(row["receipt"], index)
    told = work.indicators.by_keys([receipt.indicator]).get(receipt.indicator)
    # After a restore a key may belong to another indicator, one that is younger than the receipt.
    is_known = told is not None and millis_of(told.created_at) <= receipt.at_ms
    if receipt.operator != asker.operator or not is_known:
        raise flaw("unknown-receipt", "This is not a receipt of this hub.", index, "receipt")
    work.opinions.record_outcome(
        {
            "operator": asker.operator,
            "indicator": receipt.indicator,
            "set_key": receipt.set_key,
            "receipt": receipt.number,
            "outcome": row["outcome"],
            "reported_to": row.get("reported_to"),
            "at": hub.clock(),
        }
    )
    details = {"set": receipt.set_key, "outcome": row["outcome"]}
    return work.record(Event(OUTCOME, receipt.indicator, details=details))


# -- shared by the services that write about one indicator ----------------------------------------


def visible(public_id: str, asker: Asker, work: Work) -> Indicator:
    """The indicator, locked, if it is the operator's own or in a set the asker may look up.

    Raises:
        NotFoundError: It is neither, or does not exist; the two look the same.
    """
    known = work.indicators.find(public_id, lock=True)
    if known is None or not may_see(known, asker):
        raise NotFoundError("indicator")
    return known


def may_see(known: Indicator, asker: Asker) -> bool:
    """Whether an indicator is the asker's operator's own, or live in a set it may look up."""
    if known.operator == asker.operator:
        return True
    return known.is_live and bool(asker.sets_with(LOOKUP) & set(known.sets))


def millis_of(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down as receipts keep them."""
    return int(moment.timestamp() * 1000)


def any_indicator(public_id: str, work: Work) -> Indicator:
    """The indicator, locked, whoever asks: for administrators.

    Raises:
        NotFoundError: It does not exist.
    """
    known = work.indicators.find(public_id, lock=True)
    if known is None or known.state == ERASED:
        raise NotFoundError("indicator")
    return known


def told_flaws(error: BadInputError) -> dict[str, Any]:
    """A row's error inside a batch's answer."""
    return replace(error.flaws[0], index=None).told()


def committed(work: Work, answer: Answer) -> Answer:
    """Commit the work with its answer; returns the answer with its positions."""
    placed = work.commit(answer)
    if placed is None:
        raise AssertionError("a commit with an answer returns it")
    return placed
