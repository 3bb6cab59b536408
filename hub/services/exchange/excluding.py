# SPDX-License-Identifier: Apache-2.0
"""Exclusions between hubs: ours said to partners, theirs as voices that disagree.

A partner's exclusion hides nothing here. It is one more operator that says no, to each entry of a
set shared with that partner that is near it, for as long as the partner's word counts.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from federation.errors import Alarm, RefusedError
from federation.operations.payloads import operation_in
from federation.operations.values import (
    KINDS,
    Exclude,
    Op,
    Operation,
    Register,
    Revoke,
    SignalCode,
)
from hub.domain.errors import BadInputError
from hub.domain.exclusions import DIGESTS, LOOK, Exclusion, check_code, radius_of
from hub.domain.indicators import Code
from hub.domain.sharing import Party
from hub.domain.vocabulary import VOCABULARY
from hub.ports import Hub, Work
from hub.ports.exchange import Kept
from hub.services import exclusions
from hub.services.exchange.authors import author_of
from hub.services.exchange.planning import Draft, Sets

EXCLUDE = KINDS[Op.EXCLUDE]


# -- out -----------------------------------------------------------------------------------------


def drafts(public_ids: Collection[str], *, work: Work, hub: Hub, name: str) -> list[Draft]:
    """What our members' exclusions call for, each held against what was said of it last.

    Args:
        public_ids: of exclusions, also of those that are over.
        work: a moment.
        hub: ours.
        name: by which it speaks.
    """
    sets = Sets.of(work, hub.directory, hub.clock())
    said = {one.about: one for one in work.exchange.about(public_ids, (EXCLUDE,))
            if one.register.origin == name} if public_ids and sets.ids else {}  # fmt: skip
    found: list[Draft] = []
    for public_id in sorted(set(public_ids)) if sets.ids else ():
        kept = said.get(public_id)
        last = None if kept is None else _last(kept, work)
        some = [one for one in work.exclusions.own(public_id) if one.set_key in sets.ids]
        if some:
            found += _said(some, kept, last, sets=sets, work=work, hub=hub, name=name)
        elif kept is not None and last is not None and last.op is Op.EXCLUDE:
            found += _unsaid(kept, last, int(hub.clock().timestamp()), work)
    return found


def _last(kept: Kept, work: Work) -> Operation | None:
    return operation_in(work.exchange.sealed([kept.operation or 0]).get(kept.operation or 0))


def _said(
    some: list[Exclusion],
    kept: Kept | None,
    last: Operation | None,
    *,
    sets: Sets,
    work: Work,
    hub: Hub,
    name: str,
) -> Iterable[Draft]:
    policy = sets.policy(one.set_key for one in some)
    if last is not None and last.op is Op.EXCLUDE and last.policy == policy:
        return
    one = some[0]
    speaker = work.directory.speakers([one.party])[one.party]
    author = author_of(hub.secrets.pepper, name, "o", speaker.operator_id)
    yield Draft(
        kept=kept,
        register=Register(name, author, EXCLUDE, one.id) if kept is None else kept.register,
        about=one.id,
        op=Op.EXCLUDE,
        operator=speaker.operator_name,
        operator_kind=one.operator_kind,
        policy=policy,
        body=Exclude(SignalCode(one.code.signal, one.code.value), one.radius, one.reason),
        expires=one.expires,
        indicator=None,
        said=1,
    )


def _unsaid(kept: Kept, last: Operation, now: int, work: Work) -> Iterable[Draft]:
    """It is over: who was told is told, unless it said so itself."""
    # In a set that is not shared any more it may hold still: nobody there is told anything.
    if last.expires <= now or work.exclusions.own(kept.about):
        return
    yield Draft(
        kept=kept,
        register=kept.register,
        about=kept.about,
        op=Op.REVOKE,
        operator=last.operator,
        operator_kind=last.operator_kind,
        policy=last.policy,
        body=Revoke(),
        expires=datetime.fromtimestamp(last.expires, UTC),
        indicator=None,
        said=1,
    )


# -- in ------------------------------------------------------------------------------------------


def heard(
    register: Register,
    said: Operation | None,
    party: Party | None,
    sets: Mapping[str, int],
    *,
    hub: Hub,
    work: Work,
) -> RefusedError | None:
    """Let a partner's exclusion be a voice here, as its register says it now.

    Args:
        register: that changed.
        said: what holds in it; None: its author contradicts itself.
        party: by whom it speaks.
        sets: that are shared with who told it: internal keys by public ids.
        hub: ours.
        work: a transaction that writes.

    Returns:
        what is wrong with it, if anything: then it says nothing.
    """
    before = work.exclusions.of_author(register.origin, register.author, register.target)
    wanted, error = _wanted(said, party, sets)
    left: list[Exclusion] = []
    for one in before:
        same = wanted.pop(one.set_key, None) if _alike(one, wanted.get(one.set_key)) else None
        if same is None:
            left.append(one)
        elif same.expires != one.expires:
            work.exclusions.prolong(one.key, same.expires)
    exclusions.end(left, work)
    is_kept = [exclusions.keep(one, hub, work) for one in wanted.values()]
    if not all(is_kept):
        return RefusedError(Alarm.CONTENT, "an operator excludes more than anybody needs")
    return error


def _wanted(
    said: Operation | None, party: Party | None, sets: Mapping[str, int]
) -> tuple[dict[int, Exclusion], RefusedError | None]:
    """The exclusions that it is, by set; and why it is none."""
    body = said.body if said is not None else None
    if said is None or party is None or not isinstance(body, Exclude):
        return {}, None
    code = Code(body.code.signal, body.code.value)
    # What is not known here, and what was derived, is carried on and says nothing.
    if body.code.derived is not None or not _is_known(code):
        return {}, None
    try:
        check_code(code)
    except BadInputError as error:
        slugs = ", ".join(sorted({flaw.slug for flaw in error.flaws}))
        return {}, RefusedError(Alarm.CONTENT, f"the guards refuse it: {slugs}")
    keys = [sets[name] for name in said.policy.sets if name in sets]
    return {
        key: Exclusion(
            id=said.target,
            operator=party.operator,
            operator_kind=party.operator_kind,
            party=party.key,
            set_key=key,
            code=code,
            radius=radius_of(code, body.radius),
            reason=VOCABULARY.read_as("dispute_reason", body.reason) or "",
            expires=datetime.fromtimestamp(said.expires, UTC),
        )
        for key in keys
    }, None


def _is_known(code: Code) -> bool:
    return code.signal == LOOK or code.signal in DIGESTS


def _alike(one: Exclusion, other: Exclusion | None) -> bool:
    return other is not None and one.says == other.says
