# SPDX-License-Identifier: Apache-2.0
"""Contribute, revise, withdraw, read back: what an operator says, and says anew."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from hub.domain.answers import Answer, Once, at
from hub.domain.changes import INDICATOR, Delta, Event
from hub.domain.errors import BadInputError, ConflictError, Flaw, NotFoundError, flaw
from hub.domain.guards import ACCOUNT, contribution_flaws
from hub.domain.indicators import ERASED, WITHDRAWN, Code, Draft, Indicator
from hub.domain.sharing import LOOKUP, Asker, Party
from hub.ports import Hub, Work
from hub.services import cursors
from hub.services.drafting import check_account_words, codes_of, drafted, expiry, said, shared_into
from hub.services.opinions import actor, committed, may_see, told_flaws
from hub.services.pages import fitting
from hub.services.telling import code_records, told_words

Row = Mapping[str, Any] | BadInputError
"""One row of a batch as its schema left it: loaded, or refused already."""


def contribute(row: Row, *, asker: Asker, hub: Hub, once: Once) -> Answer:
    """Keep one contribution; the answer says nothing of whether its value was known.

    Raises:
        BadInputError: With everything that is wrong with it.
    """
    draft = _prepared(row, asker, hub)
    with hub.begin.writing(actor(asker), once) as work:
        (kept,) = _keep([draft], asker, hub, work)
        if isinstance(kept, BadInputError):
            raise kept
        return committed(work, Answer(201, kept))


def contribute_many(
    rows: Sequence[Row], *, atomic: bool, asker: Asker, hub: Hub, once: Once
) -> Answer:
    """Keep a batch; one bad row never fails the good ones, unless it is to be *atomic*.

    Raises:
        BadInputError: Every row is bad, or one is and the batch is atomic.
    """
    prepared = [_or_error(row, asker, hub) for row in rows]
    _refuse_if_bad(prepared, atomic=atomic)
    with hub.begin.writing(actor(asker), once) as work:
        kept = iter(_keep([one for one in prepared if isinstance(one, Draft)], asker, hub, work))
        done = [one if isinstance(one, BadInputError) else next(kept) for one in prepared]
        # What is known may refuse what looked right: a name of another picture, for one.
        _refuse_if_bad(done, atomic=atomic)
        results = [
            {"index": index, "error": told_flaws(BadInputError(indexed(one, index)))}
            if isinstance(one, BadInputError)
            else {"index": index, **one}
            for index, one in enumerate(done)
        ]
        return committed(work, Answer(200, {"results": results}))


def revise(
    public_id: str, sent: Mapping[str, Any], *, asker: Asker, hub: Hub, once: Once
) -> Answer:
    """Say anew what is known of an indicator; its plain codes stay as they are.

    Raises:
        NotFoundError: It is not the operator's, or does not exist.
        BadInputError: The words are refused, or plain codes are given.
    """
    sets = shared_into(sent["sets"], asker, hub)
    words, expires = said(sent, hub.clock()), expiry(sent.get("expires"), hub.clock())
    derived = codes_of(sent["codes"]) if "codes" in sent else None
    with hub.begin.writing(actor(asker), once) as work:
        known = _own(public_id, asker, work)
        _refuse_erased(known)
        if known.item_kind == ACCOUNT:
            check_account_words(words)
        draft = Draft(known.item_kind, derived or (), words, sets, expires)
        kept = _revise(known, draft, asker, hub, work, replace_derived=derived is not None)
        return committed(work, Answer(201, kept))


def withdraw(public_id: str, reason: str | None, *, asker: Asker, hub: Hub, once: Once) -> Answer:
    """Withdraw one's own: immediate and alone, always.

    Raises:
        NotFoundError: It is not the operator's, or does not exist.
        ConflictError: It says nothing any more already.
    """
    with hub.begin.writing(actor(asker), once) as work:
        known = _own(public_id, asker, work)
        if not known.is_live:
            raise ConflictError("This indicator is not live any more; nothing is to be withdrawn.")
        party = work.directory.party_of(asker.member)
        gone, deltas = work.indicators.end(
            known, kind="withdraw", state=WITHDRAWN, at=hub.clock(), party=party.key, reason=reason
        )
        _record(gone, "withdraw", deltas, work)
        return committed(work, Answer(201, {"id": gone.id, "n": gone.n, "position": at(0)}))


def read(public_id: str, *, asker: Asker, hub: Hub) -> dict[str, Any]:
    """One indicator: the whole of one's own, what is told to others else.

    Raises:
        NotFoundError: It does not exist, or is in no set that the asker may look up.
    """
    with hub.begin.reading() as work:
        known = work.indicators.find(public_id)
        if known is None or known.state == ERASED or not may_see(known, asker):
            raise NotFoundError("indicator")
        return _told([known], asker, hub, work)[0]


def listed(cursor: str | None, limit: int, *, asker: Asker, hub: Hub) -> dict[str, Any]:
    """A page of the operator's own contributions, oldest first."""
    with hub.begin.reading() as work:
        bound: dict[str, Any] = {
            "of": "indicators",
            "timeline": work.history.head().timeline,
            "sealer": hub.secrets.sealer,
        }
        held = cursors.opened(cursor, **bound) if cursor else {}
        found = work.indicators.of_operator(asker.operator, after=held.get("key", 0), limit=limit)
        shown = found[: fitting([one.key for one in found], work)]
        items = _told(shown, asker, hub, work)
        is_last = len(found) < limit and len(shown) == len(found)
        more = None if is_last else cursors.sealed({"key": shown[-1].key}, **bound)
    return {"items": items, "next_cursor": more}


# -- writing -------------------------------------------------------------------------------------


def _prepared(row: Row, asker: Asker, hub: Hub) -> Draft:
    if isinstance(row, BadInputError):
        raise row
    return drafted(row, asker=asker, hub=hub)


def _or_error(row: Row, asker: Asker, hub: Hub) -> Draft | BadInputError:
    try:
        return _prepared(row, asker, hub)
    except BadInputError as error:
        return error


def _refuse_if_bad(prepared: Sequence[object], *, atomic: bool) -> None:
    flaws = [
        one
        for index, error in enumerate(prepared)
        if isinstance(error, BadInputError)
        for one in indexed(error, index)
    ]
    bad = sum(isinstance(error, BadInputError) for error in prepared)
    if flaws and (atomic or bad == len(prepared)):
        raise BadInputError(flaws)


def indexed(error: BadInputError, index: int) -> list[Flaw]:
    """The flaws of one row of a batch, each with the row's index."""
    return [Flaw(one.slug, one.detail, index, one.field) for one in error.flaws]


def _keep(
    drafts: Sequence[Draft], asker: Asker, hub: Hub, work: Work
) -> list[dict[str, Any] | BadInputError]:
    """Keep what is new, all at once, then revise what was known: what became of each, in order."""
    if not drafts:
        return []
    names = {draft.external_id for draft in drafts if draft.external_id is not None}
    known = work.indicators.known_externals(asker.operator, names)
    fresh: list[int] = []
    for index, draft in enumerate(drafts):
        if draft.external_id not in known:
            fresh.append(index)
            if draft.external_id is not None:
                # A second row of that name revises the first.
                known.add(draft.external_id)
    added = iter(_add([drafts[index] for index in fresh], asker, hub, work))
    new = set(fresh)
    kept: dict[int, dict[str, Any] | BadInputError] = {index: next(added) for index in fresh}
    for index, draft in enumerate(drafts):
        if index not in new:
            kept[index] = _revised_or_error(draft, asker, hub, work)
    return [kept[index] for index in range(len(drafts))]


def _add(drafts: Sequence[Draft], asker: Asker, hub: Hub, work: Work) -> list[dict[str, Any]]:
    if not drafts:
        return []
    party = asker.party or work.directory.party_of(asker.member)
    interned = {sets: _label(sets, hub, work) for sets in {one.sets for one in drafts}}
    unseen = {sets for sets, (_, is_new) in interned.items() if is_new}
    added = work.indicators.add(
        drafts,
        public_ids=[hub.new_id("ind_") for _ in drafts],
        party=party,
        labels={sets: label for sets, (label, _) in interned.items()},
        at=hub.clock(),
    )
    kept = []
    for draft, (one, deltas) in zip(drafts, added, strict=True):
        _seal_account(one, draft, hub, work)
        offset = _record(one, "assert", deltas, work, label_is_new=draft.sets in unseen)
        unseen.discard(draft.sets)
        kept.append({"id": one.id, "n": one.n, "position": at(offset)})
    return kept


def _label(sets: tuple[int, ...], hub: Hub, work: Work) -> tuple[int, bool]:
    """The label of a combination of sets, and whether this transaction is its first use."""
    known = hub.directory.label_of(sets)
    return work.indicators.intern(sets) if known is None else (known, False)


def _revised_or_error(
    draft: Draft, asker: Asker, hub: Hub, work: Work
) -> dict[str, Any] | BadInputError:
    known = work.indicators.find_external(asker.operator, draft.external_id or "")
    if known is None:
        raise ConflictError("Another request uses this external_id right now; try again.")
    try:
        _refuse_other_picture(known, draft, work)
        return _revise(known, draft, asker, hub, work, replace_derived=True)
    except BadInputError as error:
        return error


def _revise(
    known: Indicator, draft: Draft, asker: Asker, hub: Hub, work: Work, *, replace_derived: bool
) -> dict[str, Any]:
    derived = [code for code in draft.codes if code.derivation]
    if replace_derived:
        _refuse_plain_or_odd(known, derived, draft, work)
    party: Party = work.directory.party_of(asker.member)
    label, is_new = work.indicators.intern(draft.sets)
    fresh, deltas = work.indicators.revise(
        known,
        words=draft.words,
        sets=draft.sets,
        expires=draft.expires,
        label=label,
        party=party.key,
        at=hub.clock(),
        derived=derived if replace_derived else None,
    )
    offset = _record(fresh, "assert", deltas, work, label_is_new=is_new)
    return {"id": fresh.id, "n": fresh.n, "position": at(offset)}


def _record(
    indicator: Indicator,
    what: str,
    deltas: Mapping[str, Delta],
    work: Work,
    *,
    label_is_new: bool = False,
) -> int:
    details: dict[str, Any] = {"what": what}
    if label_is_new:
        # Whoever follows learns what a label means from the change that first uses it.
        details["label_sets"] = list(indicator.sets)
    return work.record(Event(INDICATOR, indicator.key, indicator.n, details, deltas))


def _seal_account(added: Indicator, draft: Draft, hub: Hub, work: Work) -> None:
    account = draft.account
    if account is None:
        return
    plain = orjson.dumps({"kind": account.kind, "value": account.value})
    bound = b"account:" + added.id.encode()
    work.indicators.keep_account(added.key, account, hub.secrets.sealer.seal(plain, bound))


def _own(public_id: str, asker: Asker, work: Work) -> Indicator:
    known = work.indicators.find(public_id, lock=True)
    if known is None or known.operator != asker.operator or known.state == ERASED:
        raise NotFoundError("indicator")
    return known


def _refuse_erased(known: Indicator) -> None:
    if known.state == ERASED:
        raise NotFoundError("indicator")


def _refuse_other_picture(known: Indicator, draft: Draft, work: Work) -> None:
    plain = _plain(draft.codes)
    if known.item_kind != draft.item_kind or plain != _plain(_codes(known, work)):
        raise flaw(
            "plain-codes-changed",
            "Plain codes never change: another picture is another indicator, with its own name.",
            None,
            "external_id",
        )
    sealed = work.indicators.sealed_account(known.key)
    if draft.account and sealed and draft.account.subject != sealed.subject:
        raise flaw(
            "subject-changed",
            "Who an account belongs to never changes with a version: withdraw it, and contribute "
            "it anew under another name.",
            None,
            "subject",
        )


def _refuse_plain_or_odd(
    known: Indicator, derived: Sequence[Code], draft: Draft, work: Work
) -> None:
    if known.item_kind == ACCOUNT:
        if derived:
            raise flaw("picture-code-of-account", "An account has no codes of pictures.")
        return
    plain = [code for code in _codes(known, work) if not code.derivation]
    given = _plain(draft.codes)
    if given and given != _plain(plain):
        raise flaw(
            "plain-codes-changed", "Plain codes never change with a version.", None, "codes"
        )
    flaws = contribution_flaws(known.item_kind, [*plain, *derived])
    if flaws:
        raise BadInputError(flaws)


def _plain(codes: Sequence[Code]) -> set[tuple[str, bytes, int | None]]:
    return {(code.signal, code.value, code.at_ms) for code in codes if not code.derivation}


def _codes(known: Indicator, work: Work) -> tuple[Code, ...]:
    return work.indicators.codes([known.key]).get(known.key, ())


# -- reading -------------------------------------------------------------------------------------


def _told(found: Sequence[Indicator], asker: Asker, hub: Hub, work: Work) -> list[dict[str, Any]]:
    mine = [one for one in found if one.operator == asker.operator]
    codes = work.indicators.codes(one.key for one in mine)
    now = hub.clock()
    standings = _standings(found, asker, hub, work, now)
    return [
        _own_record(one, codes.get(one.key, ()), standings.get(one.key, []), hub, work)
        if one.operator == asker.operator
        else _other_record(one, standings.get(one.key, []))
        for one in found
    ]


def _standings(
    found: Sequence[Indicator], asker: Asker, hub: Hub, work: Work, now: datetime
) -> dict[int, list[dict[str, Any]]]:
    """What the hub says of each entry; only of sets that the asker may look up."""
    told: dict[int, list[dict[str, Any]]] = {}
    visible = sorted(asker.sets_with(LOOKUP))
    for entry in work.votes.described([one.key for one in found], visible):
        named = hub.directory.set_keyed(entry.set_key)
        if named is None:
            continue
        standing = entry.standing(now)
        told.setdefault(entry.indicator, []).append(
            {
                "set": named.id,
                "standing": standing.name,
                "operators": standing.operators,
                "until": standing.until.isoformat() if standing.until else None,
            }
        )
    return told


def _own_record(
    one: Indicator, codes: Sequence[Code], entries: list[dict[str, Any]], hub: Hub, work: Work
) -> dict[str, Any]:
    hits, by = work.facts.hit_counts(one.key)
    return {
        "id": one.id,
        "n": one.n,
        "state": one.state,
        "item": {
            "kind": one.item_kind,
            "codes": [] if one.item_kind == ACCOUNT else code_records(codes),
        },
        "words": _own_words(one),
        "sets": [named.id for key in one.sets if (named := hub.directory.set_keyed(key))],
        "expires": one.expires.isoformat(),
        "external_id": one.external_id,
        "entries": entries,
        "versions": [
            {"n": row.n, "what": row.kind, "at": row.at.isoformat()}
            for row in work.indicators.versions(one.key)
        ],
        "seen": {"hits": bucket(hits), "operators": bucket(by)},
        "outcomes": {
            name: bucket(count) for name, count in work.opinions.outcome_counts(one.key).items()
        },
    }


def _other_record(one: Indicator, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": one.id,
        "n": one.n,
        "state": one.state,
        "item": {"kind": one.item_kind},
        "words": told_words(_words(one)),
        "entries": entries,
    }


def _own_words(one: Indicator) -> dict[str, Any]:
    words = _words(one)
    # Nobody says here what may follow from their word, so nobody is told.
    del words["act"]
    if one.words.list_name:
        words["list"] = words.pop("list_name")
    return words


def _words(one: Indicator) -> dict[str, Any]:
    names = one.words.__dataclass_fields__
    said = {name: getattr(one.words, name) for name in names}
    return {name: _plain_value(v) for name, v in said.items() if v not in (None, ())}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


BUCKETS = (0, 1, 10, 100, 1000, 10_000, 100_000)


def bucket(count: int) -> int:
    """The count as contributors are told it: the largest of 0, 1, 10, 100… that it reaches."""
    return max(step for step in BUCKETS if step <= count)
