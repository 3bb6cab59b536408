# SPDX-License-Identifier: Apache-2.0
"""What may be believed of a partner: the rules of acceptance, and nothing that touches the world.

A partner's log is followed from its start. What is kept of it is its frontier, and the largest
checkpoint that a page was held against. Each function takes what is believed and returns what is
believed next, so there is no half-accepted state to clean up.

Steps are numbered here, in `docs/protocol/federation.md` §7 and in the tests alike: 1 to 3 are of
the page, and stand here; 4 to 9 are of its operations, and stand in ``federation.believing``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from federation.believing import Believing, Head, Partner, Received, Refusal
from federation.errors import Alarm, MalformedError, RefusedError
from federation.log.checkpoints import opened as opened_checkpoint
from federation.log.cosignatures import times
from federation.log.merkle import Frontier, leaf_hash, verify_consistency
from federation.log.notes import Note
from federation.log.paths import Paths
from federation.operations.envelopes import payload_of
from federation.operations.payloads import operation_id
from federation.operations.values import TAKES_BACK
from federation.pages import Page, Record

MOST_BAD = 10
"""Bad operations in a page, beyond which its hub is not followed any more: 1 % of the largest."""


@dataclass(frozen=True)
class Trust:
    """What is believed of a partner's log.

    Attributes:
        head: the largest checkpoint that a page was held against; None: none yet.
        frontier: of the entries that were applied.
    """

    head: Head | None = None
    frontier: Frontier = field(default_factory=Frontier)

    @property
    def applied(self) -> int:
        """Index of the next entry."""
        return self.frontier.size

    @property
    def is_level(self) -> bool:
        """Whether all that its head covers was applied."""
        return self.head is None or self.head.size == self.applied


def from_the_start(trust: Trust) -> Trust:
    """What is believed of a log that is to be read once more: no less of its size and its root."""
    return Trust(trust.head)


@dataclass(frozen=True)
class Accepted:
    """A page that was held against its log.

    Attributes:
        operations: to be applied, in the log's order.
        refused: what is not believed, each with the reason.
        passed: how many entries said nothing to us: withheld, forgotten, or our own.
        sets: public ids of the sets that the partner says it shares with us.
        trust: what is believed next; to be kept with the operations, or not at all.
        manifests: ids of the manifests by which both of us go, by their sets.
        strangers: hubs of which it passed on what is signed by keys that are not known here.
    """

    operations: tuple[Received, ...]
    refused: tuple[Refusal, ...]
    passed: int
    sets: frozenset[str]
    trust: Trust
    manifests: Mapping[str, str] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()

    @property
    def is_too_bad(self) -> bool:
        """Whether its hub is not to be followed until somebody has looked."""
        return len(self.refused) > MOST_BAD


def accept(data: bytes, partner: Partner, trust: Trust, now: int) -> Accepted:
    """Hold a page against its log, and say which of its operations may be believed.

    Args:
        data: the page, as it came.
        partner: who is asked.
        trust: what is believed of it.
        now: seconds since 1970.

    Raises:
        RefusedError: The page as a whole is not to be believed. MALFORMED, NON_CANONICAL,
            TOO_LARGE: It is no page. GAP: It is not the next one, or its entries are not the
            log's. BAD_SIGNATURE, UNKNOWN_KEY, WRONG_ORIGIN: Its checkpoint is not the log's.
            ROLLBACK, FORK: The log is not what it was. FUTURE: Something of it was said later
            than now; it is to be asked for again.
    """
    page = Page.parse(data)
    # 1. The next one, and no other.
    if page.is_sparse or page.start != trust.applied:
        raise RefusedError(Alarm.GAP, "this is not the page that comes next")
    # 2. Held against a checkpoint of the log.
    head = _head(page, partner, trust, now)
    if page.end == page.start < page.size:
        raise RefusedError(Alarm.GAP, "a page that leads nowhere")
    # 3. Its entries are the log's: not one is missing, changed, or ours alone.
    leaves = [leaf_hash(_entry(one)) for one in page.records]
    frontier = trust.frontier.extended(leaves)
    _check_growth(frontier, head, page)
    # 4. to 9. One after the other: a bad one never harms the good ones.
    believing = Believing(
        page, partner, now, head, Paths(trust.frontier, leaves, head.size, page.proof)
    )
    operations, refused, passed = believing.all()
    sets, after = frozenset(page.sets), Trust(head, frontier)
    both = {one: it for one, it in page.manifests.items() if partner.manifests.get(one) == it}
    strangers = frozenset(believing.strangers)
    return Accepted(operations, refused, passed, sets, after, both, strangers)


def accept_revokes(
    data: bytes, partner: Partner, trust: Trust, now: int
) -> tuple[tuple[Received, ...], int]:
    """Believe revokes ahead of the log that will tell them again: to take back needs no proof.

    Returns:
        the revokes, and the index from which to ask for more.

    Raises:
        RefusedError: As with ``accept``; a page of revokes is held against no checkpoint.
    """
    page = Page.parse(data)
    if not page.is_sparse or page.start < trust.applied:
        raise RefusedError(Alarm.GAP, "these are not the revokes that were asked for")
    operations, _, _ = Believing(page, partner, now).all()
    revokes = (one for one in operations if one.operation.op in TAKES_BACK)
    return tuple(revokes), page.end


def seen(note: bytes, partner: Partner, trust: Trust, now: int) -> Head:
    """Believe a note to be a checkpoint of a partner's log that contradicts nothing.

    That it continues what was applied is shown by the page that comes with it.

    Raises:
        RefusedError: BAD_SIGNATURE, UNKNOWN_KEY, WRONG_ORIGIN, MALFORMED: It is not the log's.
            ROLLBACK: The log has shown more. FORK: It has shown another hash at this size. Both
            notes are the proof.
    """
    parsed = Note.parse(note)
    checkpoint = opened_checkpoint(parsed, partner.origin, partner.log)
    known = trust.head
    if known is not None and checkpoint.size < known.size:
        raise RefusedError(Alarm.ROLLBACK, "the log had more entries", known.note, note)
    if known is not None and checkpoint.size == known.size and checkpoint.root != known.root:
        raise RefusedError(Alarm.FORK, "the log has two hashes at one size", known.note, note)
    return Head(
        checkpoint.size,
        checkpoint.root,
        note,
        # Nobody stays fresh by a clock that is ahead.
        alive_at=min(_beat(parsed, partner), now),
        # What was witnessed is still there, under what came to it since.
        witnessed_at=_later(_witnessed(parsed, partner), known, now),
    )


# -- the page ------------------------------------------------------------------------------------


def _entry(record: Record) -> bytes:
    """The log's entry that a record stands for; nothing of it is believed."""
    if record.envelope is None:
        return record.entry(record.id)
    return record.entry(operation_id(payload_of(record.envelope)))


def _head(page: Page, partner: Partner, trust: Trust, now: int) -> Head:
    if page.checkpoint is not None:
        # Before its head is reached there is no other: two heads would be shown to continue what
        # was applied, but not each other.
        if not trust.is_level:
            raise RefusedError(Alarm.GAP, "another checkpoint than was asked for")
        head = seen(page.checkpoint, partner, trust, now)
    elif trust.head is None:
        raise RefusedError(Alarm.GAP, "a page without a checkpoint")
    else:
        head = trust.head
    if page.size != head.size:
        raise RefusedError(Alarm.GAP, "a page of another size of the log")
    return head


def _check_growth(frontier: Frontier, head: Head, page: Page) -> None:
    try:
        verify_consistency(frontier.size, frontier.root(), head.size, head.root, page.proof)
    except MalformedError:
        raise
    except RefusedError as error:
        # The proof is not signed, so this proves nothing to anybody else.
        what = "what came is not what the log's checkpoint commits to"
        raise RefusedError(Alarm.GAP, what, head.note) from error


def _beat(note: Note, partner: Partner) -> int:
    if partner.beat is None:
        return 0
    return times(note, [partner.beat]).get(partner.beat, 0)


def _witnessed(note: Note, partner: Partner) -> int | None:
    if partner.witnesses is None:
        return None
    own = (*partner.log, *filter(None, [partner.beat]))
    return partner.witnesses.freshness(partner.witnesses.witnessed(note, own))


def _later(now_seen: int | None, known: Head | None, now: int) -> int | None:
    times_seen = [now_seen, known.witnessed_at if known is not None else None]
    return max((min(one, now) for one in times_seen if one is not None), default=None)
