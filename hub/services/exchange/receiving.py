# SPDX-License-Identifier: Apache-2.0
"""Keep what a partner's hub says, as anybody's contribution is kept.

Operations are joined into registers; what holds there becomes indicators and opinions of remote
parties, through the same guards, neighbours and standing as a member's. All of it, and what is
believed of the partner's log, is kept in one commit, or nothing is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from federation.errors import Alarm, RefusedError
from federation.operations.values import Assert, Register
from federation.trust import Accepted, Received
from hub.domain import statements
from hub.domain.changes import SYSTEM
from hub.domain.errors import BadInputError
from hub.domain.indicators import Draft
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Kept, Statement
from hub.services.exchange.effects import Effects
from hub.services.exchange.joining import Change, changes

GOOD, STALE = "good", "stale"


@dataclass(frozen=True)
class Came:
    """What became of a page.

    Attributes:
        applied: index of the next entry.
        kept: operations that changed a register.
        refused: operations that are not believed, or that the guards refused.
    """

    applied: int
    kept: int
    refused: int


def receive(accepted: Accepted, *, partner: Enrolled, state: str, hub: Hub) -> Came | None:
    """Keep a page that was held against its log; None: somebody else was quicker.

    Args:
        accepted: the page.
        partner: from whom it came, as it was when the page was asked for.
        state: of its authors' parties: whether their word counts.
        hub: ours.
    """
    drafts, refused = _drafted(accepted.operations, partner)
    with hub.begin.writing(SYSTEM) as work:
        if not work.partners.keep(
            partner.key, expected=partner.trust.applied, trust=accepted.trust
        ):
            return None
        effects = Effects(partner, state, drafts, hub, work)
        kept = _join(accepted.operations, effects, partner, hub, work)
        told = [*(RefusedError(one.alarm, one.what) for one in accepted.refused), *refused]
        for error in told:
            work.partners.accuse(partner.key, error, hub.clock())
        bad = len(told)
        if bad:
            work.partners.change(partner.key, refused=partner.refused + bad)
        work.commit()
    return Came(accepted.trust.applied, kept, bad)


def receive_revokes(
    operations: Sequence[Received], upto: int, *, partner: Enrolled, state: str, hub: Hub
) -> int:
    """Take back ahead of the log what a partner takes back; returns how many registers changed."""
    with hub.begin.writing(SYSTEM) as work:
        kept = _join(operations, Effects(partner, state, {}, hub, work), partner, hub, work)
        work.partners.change(partner.key, revoked_to=upto)
        work.commit()
    return kept


def _drafted(
    operations: Iterable[Received], partner: Enrolled
) -> tuple[dict[str, Draft], list[RefusedError]]:
    """What is said of items, by operation, ready to be kept; and what the guards refuse."""
    drafts: dict[str, Draft] = {}
    refused: list[RefusedError] = []
    for one in operations:
        operation = one.operation
        if not isinstance(operation.body, Assert):
            continue
        sets = [partner.sets[name] for name in operation.policy.sets if name in partner.sets]
        expires = datetime.fromtimestamp(operation.expires, UTC)
        try:
            drafts[one.said.id] = statements.drafted(operation.body, sets=sets, expires=expires)
        except BadInputError as error:
            slugs = ", ".join(sorted({flaw.slug for flaw in error.flaws}))
            refused.append(RefusedError(Alarm.CONTENT, f"the guards refuse it: {slugs}"))
    return drafts, refused


def _join(
    operations: Sequence[Received], effects: Effects, partner: Enrolled, hub: Hub, work: Work
) -> int:
    """Join operations into registers and let the hub know; returns how many changed."""
    known = work.exchange.registers(one.operation.register for one in operations)
    changed = changes(operations, known, int(hub.clock().timestamp()))
    if not changed:
        return 0
    kept = _kept(changed, partner, work)
    for change in changed.values():
        if change.held.is_told_twice:
            work.partners.accuse(partner.key, _lie(change, work), hub.clock())
    effects.carry_out(
        {name: (kept[name], one.identifier, one.said) for name, one in changed.items()}
    )
    return len(changed)


def _kept(
    changed: Mapping[Register, Change], partner: Enrolled, work: Work
) -> dict[Register, Kept]:
    """Keep the operations that hold now, and the registers that hold them."""
    keys = work.exchange.keep([one.kept(name, {}) for name, one in changed.items()])
    came = [(name, one) for name, change in changed.items() for one in change.came.values()]
    added = work.exchange.add([_statement(one, keys[name], partner) for name, one in came])
    operations: dict[Register, dict[str, int]] = {}
    for (name, one), key in zip(came, added, strict=True):
        operations.setdefault(name, {})[one.said.id] = key
    kept = {
        name: one.kept(name, operations.get(name, {}), keys[name]) for name, one in changed.items()
    }
    work.exchange.keep(list(kept.values()))
    work.exchange.drop(_let_go(changed, kept))
    return kept


def _let_go(changed: Mapping[Register, Change], kept: Mapping[Register, Kept]) -> set[int]:
    """Operations that hold no more."""
    before = [one.before for one in changed.values() if one.before is not None]
    gone = {key for one in before for key in (one.operation, one.other) if key is not None}
    return gone - {key for one in kept.values() for key in (one.operation, one.other)}


def _statement(one: Received, register: int, partner: Enrolled) -> Statement:
    operation = one.operation
    return Statement(
        register=register,
        version=operation.version,
        keep=operation.keep,
        id=bytes.fromhex(one.said.id),
        sealed=one.sealed,
        partner=partner.key,
        index=one.index,
    )


def _lie(change: Change, work: Work) -> RefusedError:
    """What proves that an author said two things with one version."""
    known = [] if change.before is None else [change.before.operation or 0]
    told = [*work.exchange.sealed(known).values(), *(one.sealed for one in change.came.values())]
    proof = (orjson.dumps(one.told) for one in told)
    return RefusedError(Alarm.EQUIVOCATION, "two things with one version", *proof)
