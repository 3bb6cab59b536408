# SPDX-License-Identifier: Apache-2.0
"""Say to partners what members said here: from changes to signed operations to the log.

An indicator is held against the register in which it was said last, and is said anew where the
two differ. So it does no harm to look twice, and after a crash, or a restore, or when a set is
shared that was not, it is enough to look again.

Reading, writing and signing happen before the writer's turn; the log grows in one short commit,
and its checkpoint is signed only after that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from federation.log.cosignatures import Cosigner, times
from federation.log.notes import Note
from federation.operations.leaves import Kind, entry
from federation.operations.values import LIFE, TAKES_BACK, Op, Operation
from federation.publishing import Signed, alive, checkpoint, grown, signed
from hub.domain.changes import EXCLUSION, INDICATOR, LINKS, OPINION, SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import Kept, Leaf, OwnLog, Statement, Voice
from hub.services.exchange import excluding, manifests
from hub.services.exchange.planning import Draft, Planner
from hub.services.exchange.repeating import repeated
from hub.services.exchange.voices import is_current

CURSOR = "publishing"
EPOCH = "publishing-epoch"
"""The epoch in which everything was said."""
AT_ONCE = 500
"""Changes, or indicators of a set, that are looked at together."""
TOLD = frozenset({INDICATOR, LINKS, OPINION})
SALT = 16
BEAT_SECONDS = 300
"""After which the hub says again that it is alive."""

Randomness = Callable[[int], bytes]


def publish(hub: Hub, voice: Voice, randomness: Randomness, *, limit: int = AT_ONCE) -> int:
    """Say what the next changes call for; returns how many positions were looked at."""
    with hub.begin.reading() as work:
        start = work.history.cursor(CURSOR)
        # What a set is must be known here before it is decided what leaves in it.
        known = hub.directory.position
        rows = [row for row in work.history.after(start, limit) if row.position <= known]
        if not rows:
            return 0
        keys = {row.subject for row in rows if _calls_for_words(row)}
        excluded = {row.details["exclusion"] for row in rows if row.kind == EXCLUSION}
        plan = _planned(keys, work, hub, voice, excluded)

    def moved(work: Work) -> bool:
        return work.history.advance(CURSOR, expected=start, position=rows[-1].position)

    return len(rows) if _say(plan, hub, voice, randomness, moved) else 0


def backfill(hub: Hub, voice: Voice, randomness: Randomness, *, limit: int = AT_ONCE) -> int:
    """Say what was there before its set was shared; returns how many indicators."""
    with hub.begin.reading() as work:
        todo = work.partners.backfills()
        if not todo:
            return 0
        set_key, after = todo[0]
        if hub.directory.set_keyed(set_key) is None:
            return 0  # not heard of yet
        keys = work.indicators.keys_in_set(set_key, after=after, limit=limit)
        # They are few, and go with the first of the indicators.
        excluded = {one.id for one in work.exclusions.own(set_key=set_key)} if not after else ()
        plan = _planned(keys, work, hub, voice, excluded)
    last = keys[-1] if keys else None

    def moved(work: Work) -> bool:
        return work.partners.backfilled(set_key, expected=after, after=last)

    _say(plan, hub, voice, randomness, moved)
    return len(keys)


def announce(hub: Hub, voice: Voice, randomness: Randomness) -> int:
    """Say what the sets of ours are, where that is new; returns of how many."""
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        plan = _Plan(manifests.drafts(work, hub, voice), log, work.logs.edge(log))
    if plan.drafts:
        _say(plan, hub, voice, randomness, lambda _: True)
    manifests.adopt(hub, voice)
    return len(plan.drafts)


def say_anew(hub: Hub, voice: Voice, randomness: Randomness, *, limit: int = AT_ONCE) -> int:
    """Say in this epoch what was said in earlier ones; returns how many registers.

    What a thief said in those is beaten by it, whatever its version; and whoever reads only the
    log of now hears all that holds, what was taken back too.
    """
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        if work.history.cursor(EPOCH) >= voice.epoch:
            return 0
        kept = work.exchange.of_earlier_epochs(voice.hub, voice.epoch, now, limit)
        log = work.logs.open(voice.log.origin)
        plan = _Plan(repeated(kept, work), log, work.logs.edge(log))

    def moved(work: Work) -> bool:
        if plan.drafts:
            return True
        # Whoever reads only the log of now hears from us what others said, too.
        work.relays.again()
        before = work.history.cursor(EPOCH)
        return work.history.advance(EPOCH, expected=before, position=voice.epoch)

    _say(plan, hub, voice, randomness, moved)
    return len(kept)


def show_checkpoint(hub: Hub, voice: Voice) -> bool:
    """Sign what the log is by now, and that we are alive; whether there was anything to say.

    It is called after the commit that holds the log's tree: a checkpoint that left before it
    would speak of a log that a crash takes back.
    """
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
    if log.note is not None and log.noted == log.size:
        note = Note.parse(log.note)
        if now - _alive_at(note, voice) < BEAT_SECONDS:
            return False
        note = alive(note, voice.log, now)
    else:
        note = checkpoint(log.frontier, voice.log, now)
    with hub.begin.writing(SYSTEM) as work:
        work.logs.show(log, note.encoded(), log.size)
        work.commit()
    return True


def _alive_at(note: Note, voice: Voice) -> int:
    beat = Cosigner(voice.log.beat_name, voice.log.beat.public)
    return times(note, [beat]).get(beat, 0)


def _calls_for_words(row: Any) -> bool:
    """Whether a change may be of matter to a partner: also that something turned out a copy."""
    # What another hub just said of an item is its own to say, and nobody here thinks of it yet.
    if row.kind == INDICATOR and row.n == 1 and "partner" in row.details:
        return False
    return (
        bool(row.subject) and row.kind in TOLD and (row.kind != LINKS or "copied" in row.details)
    )


# -- steps ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What is to be said, and the log as it was when that was seen.

    If the log has grown meanwhile, somebody else may have said the same: then nothing is said.
    """

    drafts: Sequence[Draft]
    log: OwnLog
    edge: Mapping[int, bytes]


def _planned(
    keys: Iterable[int], work: Work, hub: Hub, voice: Voice, excluded: Collection[str]
) -> _Plan:
    log = work.logs.open(voice.log.origin)
    drafts = Planner(work, hub, voice.hub).drafts(keys)
    drafts += excluding.drafts(excluded, work=work, hub=hub, name=voice.hub)
    return _Plan(drafts, log, work.logs.edge(log))


def _say(
    plan: _Plan,
    hub: Hub,
    voice: Voice,
    randomness: Randomness,
    moved: Callable[[Work], bool],
) -> bool:
    """Sign what is to be said, and keep and log it together with how far that brings us."""
    drafts, log = plan.drafts, plan.log
    now = int(hub.clock().timestamp())
    operations = [_operation(one, voice, now, randomness) for one in drafts]
    said = signed(operations, voice.op, voice.op_id)
    leaves = [_leaf(one, index) for index, one in enumerate(said, log.size)]
    growth = grown(
        log.frontier, plan.edge, [entry(leaf.kind, leaf.id.hex(), leaf.source) for leaf in leaves]
    )
    with hub.begin.writing(SYSTEM) as work:
        if not moved(work):
            return False
        if leaves:
            operations_keys = _keep(drafts, said, leaves, work)
            if not work.logs.append(log, operations_keys, leaves, growth):
                return False
            # A key that was just changed holds for nothing from here on.
            if not is_current(voice, hub):
                return False
            for draft in drafts:
                if draft.op is Op.PURGE:
                    work.exchange.purge(replace(draft.register, kind=INDICATOR))
        work.commit()
    return True


def _operation(draft: Draft, voice: Voice, now: int, randomness: Randomness) -> Operation:
    kept = draft.kept
    # A new epoch begins anew: it beats whatever a thief has burnt.
    version = 1 if kept is None or kept.version[0] < voice.epoch else kept.version[1] + 1
    # Another hub may say of its own what is longer than anything may be said by us.
    expires = min(max(int(draft.expires.timestamp()), now + 1), now + LIFE)
    keep = max(expires, draft.keep, kept.keep if kept is not None else 0)
    return Operation(
        op=draft.op,
        origin=voice.hub,
        operator=draft.operator,
        operator_kind=draft.operator_kind,
        author=draft.register.author,
        epoch=voice.epoch,
        n=version,
        previous=None if kept is None else kept.ids[0].hex(),
        target=draft.register.target,
        created=now,
        expires=expires,
        keep=min(keep, now + LIFE),
        policy=draft.policy,
        body=draft.body,
        salt=randomness(SALT),
    )


def _leaf(one: Signed, index: int) -> Leaf:
    operation = one.said.operation
    return Leaf(
        index,
        Kind.OWN,
        operation.origin,
        bytes.fromhex(one.said.id),
        one.sealed,
        operation.keep,
        is_revoke=operation.op in TAKES_BACK,
    )


def _keep(
    drafts: Sequence[Draft], said: Sequence[Signed], leaves: Sequence[Leaf], work: Work
) -> list[int]:
    """Keep operations and the registers that they hold in; returns the operations' keys."""
    keys = work.exchange.add(
        [
            Statement(
                register=one.said.operation.register,
                version=one.said.operation.version,
                keep=one.said.operation.keep,
                id=leaf.id,
                sealed=one.sealed,
                partner=None,
                index=leaf.index,
            )
            for one, leaf in zip(said, leaves, strict=True)
        ]
    )
    work.exchange.keep(
        [
            _kept(draft, leaf, keys[leaf.id], one.said.operation.version)
            for draft, one, leaf in zip(drafts, said, leaves, strict=True)
        ]
    )
    return [keys[leaf.id] for leaf in leaves]


def _kept(draft: Draft, leaf: Leaf, operation: int, version: tuple[int, int]) -> Kept:
    return Kept(
        key=draft.kept.key if draft.kept is not None else 0,
        register=draft.register,
        about=draft.about,
        version=version,
        keep=leaf.keep,
        ids=(leaf.id,),
        operation=operation,
        indicator=draft.indicator,
        said=draft.said,
    )
