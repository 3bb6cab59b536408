# SPDX-License-Identifier: Apache-2.0
"""Which operations of a page may be believed: each by itself, as a bad one never harms a good one.

These are steps 4 to 9 of `docs/protocol/federation.md` §7; ``federation.trust`` has those of the
page, and calls this.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from federation.audience import is_released, may_have
from federation.errors import Alarm, RefusedError
from federation.forms.canonical import written
from federation.identity.values import OpKey
from federation.log.cosignatures import Cosigner
from federation.log.paths import Paths
from federation.log.policies import Policy as Witnesses
from federation.log.verifiers import Verifier
from federation.operations.envelopes import Sealed, opened, payload_of, verified
from federation.operations.leaves import Kind
from federation.operations.payloads import Written, operation_id, read_operation
from federation.operations.values import Op, Operation
from federation.pages import Inclusion, Page, Record
from federation.relays import Checkpoints, Origin, check_inclusion, unlike

ONWARD = "set"
NOT_THE_RELAYS = frozenset({Alarm.UNKNOWN_KEY, Alarm.RETIRED_KEY, Alarm.UNVOUCHED})
"""What is not held against whoever passes an operation on."""
NOT_THE_RELAYS_LOG = frozenset({Alarm.UNKNOWN_KEY, Alarm.BAD_SIGNATURE})
"""The same, of the checkpoint of its origin's log: who is on the way may know other keys of it."""
SKEW = 300  # seconds that a partner's clock may be ahead of ours
PATIENCE = 86_400  # seconds ahead, beyond which a page does not wait for what others said in it


@dataclass(frozen=True)
class Partner:
    """What is settled with another hub: who it is, and what it may say to us.

    Attributes:
        hub: its name.
        origin: of its log.
        log: keys of the log.
        beat: key by which it says that it is alive; what it cosigns counts as no witness.
        op_keys: keys of operations, by their ids.
        operators: names of the organisations that it may vouch for.
        sets: public ids of the sets that are shared with it.
        witnesses: who must have seen its checkpoints; None: nobody is asked.
        here: our own hub's name.
        relays: other hubs whose operations it may pass on, by their names.
        manifests: ids of the manifests by which we go, of the sets that are shared with it and may
            be passed on in.
    """

    hub: str
    origin: str
    log: tuple[Verifier, ...]
    beat: Cosigner | None
    op_keys: Mapping[str, OpKey]
    operators: frozenset[str]
    sets: frozenset[str]
    here: str
    witnesses: Witnesses | None = None
    relays: Mapping[str, Origin] = field(default_factory=dict)
    manifests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """A checkpoint that its log signed.

    Attributes:
        size: entries.
        root: hash over them.
        note: as it came.
        alive_at: when its hub last said so, seconds since 1970; 0: never.
        witnessed_at: when a quorum last saw it; None: no quorum did.
    """

    size: int
    root: bytes
    note: bytes = field(repr=False)
    alive_at: int = 0
    witnessed_at: int | None = None


@dataclass(frozen=True)
class Received:
    """An operation that may be believed to be its origin's.

    Attributes:
        index: in the log it came from.
        said: what it says, and its id.
        sealed: the bytes that prove it.
        inclusion: where it is in its origin's log, if it may be passed on.
        log: name of that log.
        note: the checkpoint of that log to which this leads.
    """

    index: int
    said: Written
    sealed: Sealed
    inclusion: Inclusion | None = None
    log: str = ""
    note: bytes | None = field(default=None, repr=False)

    @property
    def operation(self) -> Operation:
        """What it says."""
        return self.said.operation


@dataclass(frozen=True)
class Refusal:
    """An operation that is not believed; the log goes on without it."""

    index: int
    alarm: Alarm
    what: str
    evidence: tuple[bytes, ...] = ()


class Believing:
    """Says which operations of a page may be believed.

    Args:
        page: that was held against its log, or is of revokes.
        partner: who was asked.
        now: seconds since 1970.
        head: the checkpoint that the page was held against; None: it is of revokes.
        paths: by which its entries are proven to be in the log, to others.
    """

    def __init__(
        self,
        page: Page,
        partner: Partner,
        now: int,
        head: Head | None = None,
        paths: Paths | None = None,
    ) -> None:
        self._page, self._partner, self._now = page, partner, now
        self._told = frozenset(page.sets)
        self._head, self._paths = head, paths
        self._shown = Checkpoints(page.notes)
        self.strangers: set[str] = set()
        """Hubs of which something by a key came that we do not know: they may have changed it."""

    def all(self) -> tuple[tuple[Received, ...], tuple[Refusal, ...], int]:
        """What is believed, what is not, and how many records say nothing to us."""
        operations, refused, passed = [], [], 0
        for record in self._page.records:
            try:
                received = self._received(record)
            except RefusedError as error:
                # Its time will come: passed over it would be lost, and one of two clocks is wrong.
                if error.alarm is Alarm.FUTURE:
                    raise
                refused.append(Refusal(record.index, error.alarm, error.what, error.evidence))
                continue
            if received is None:
                passed += 1
            else:
                operations.append(received)
        return tuple(operations), tuple(refused), passed

    def _received(self, record: Record) -> Received | None:
        """An operation that may be believed; None: there is nothing for us in it."""
        # Withheld; or what we said ourselves, and need not hear again.
        if record.envelope is None or record.source == self._partner.here:
            return None
        if record.kind is Kind.RELAY:
            return self._relayed(record, record.envelope)
        # 4. Its origin's, by a key that held at that place of its log.
        partner = self._partner
        if record.source != partner.hub:
            raise RefusedError(Alarm.WRONG_ORIGIN, "an operation of a hub that is not asked here")
        sealed, key = _signed(record.envelope, partner.op_keys, record.index)
        said = self._said(sealed, key, partner.hub, partner.operators)
        if said is None:
            return None
        # 8. Meant for us, by what the partner itself says that it shares.
        if not may_have(said.operation, self._told):
            raise RefusedError(Alarm.OUT_OF_AUDIENCE, "not for this hub")
        # 9. Wanted here: a set that only the other side shares yet is no offence.
        if not is_released(said.operation.policy.sets, partner.sets):
            return None
        if said.operation.policy.onward != ONWARD or self._paths is None or self._head is None:
            return Received(record.index, said, sealed)
        # What may be passed on, by whoever follows us, needs a proof that it is in its log.
        path = self._paths.of(record.index)
        inclusion = Inclusion(record.index, self._head.size, path)
        return Received(record.index, said, sealed, inclusion, partner.origin, self._head.note)

    def _relayed(self, record: Record, envelope: Mapping[str, Any]) -> Received | None:
        """The same, of what is another hub's."""
        # 4. Of a hub that the manifest names, by which both of us go.
        origin = self._origin(record.source)
        if origin is None or not origin.is_known:
            return None
        if record.inclusion is None:
            raise RefusedError(Alarm.NOT_IN_LOG, "a relay without a proof that its origin said it")
        # In its origin's log: that no relay can make up.
        if not self._is_in_log_of_now(envelope, record.inclusion, origin):
            return None
        try:
            sealed, key = _signed(envelope, origin.op_keys, record.inclusion.index)
            said = self._said(sealed, key, origin.hub, origin.operators)
        except RefusedError as error:
            # What its origin logged and is not for us to believe, or not yet, is no fault of
            # whoever is on the way, who may have other keys and other terms.
            if error.alarm in NOT_THE_RELAYS:
                self._note_stranger(origin, error)
                return None
            raise
        if said is None:
            return None
        # 8. Meant for us, and to be passed on: whoever passes on what must not be is caught by it.
        if not may_have(said.operation, self._told, is_relayed=True):
            raise RefusedError(
                Alarm.OUT_OF_AUDIENCE, "not to be passed on", *self._proof(envelope)
            )
        # 9. Wanted here, and in a set in which its origin is named.
        if not origin.is_heard(said.operation):
            sets = said.operation.policy.sets
            if self._goes_by_another(sets) or not origin.otherwise.isdisjoint(sets):
                return None
            raise RefusedError(
                Alarm.WRONG_ORIGIN, "a relay in a set that does not name its origin"
            )
        note = self._shown.note(origin, record.inclusion.size)
        return Received(record.index, said, sealed, record.inclusion, origin.log, note)

    def _is_in_log_of_now(
        self, envelope: Mapping[str, Any], inclusion: Inclusion, origin: Origin
    ) -> bool:
        """Whether its origin said it, where we read that; else it was in another log of its."""
        try:
            check_inclusion(operation_id(payload_of(envelope)), inclusion, origin, self._shown)
        except RefusedError as error:
            if error.alarm in NOT_THE_RELAYS_LOG:
                self._note_stranger(origin, error)
                return False
            # What holds of a closed log is said anew.
            is_another = self._shown.is_of_another_log(origin, inclusion.size)
            if error.alarm is Alarm.NOT_IN_LOG and is_another:
                return False
            raise
        return True

    def _note_stranger(self, origin: Origin, error: RefusedError) -> None:
        if error.alarm is Alarm.UNKNOWN_KEY:
            self.strangers.add(origin.hub)

    def _origin(self, name: str) -> Origin | None:
        """Whose word a partner passes on; None: of whom we may not hear yet."""
        found = self._partner.relays.get(name)
        if found is None and not self._goes_by_another(self._partner.sets):
            raise RefusedError(Alarm.WRONG_ORIGIN, "a relay of a hub that no manifest names")
        return found

    def _goes_by_another(self, sets: Collection[str]) -> bool:
        """Whether the partner goes by another manifest than we do.

        It is not to be blamed, for one of the two will soon hear of the newer one; and what it
        passes on is read once more then.
        """
        return unlike(self._page.manifests, self._partner.manifests, sets)

    def _said(
        self, sealed: Sealed, key: OpKey, hub: str, operators: Collection[str]
    ) -> Written | None:
        """What an operation says that its hub signed; None: nothing any more."""
        # 5. Canonical, and of the words of this protocol.
        said = read_operation(sealed.payload)
        operation = said.operation
        if operation.origin != hub:
            raise RefusedError(Alarm.WRONG_ORIGIN, "the origin is another hub")
        if operation.epoch != key.epoch:
            raise RefusedError(Alarm.RETIRED_KEY, "the key is of another epoch than its operation")
        # 6. Of now: not from the future; and what nobody needs is forgotten, not refused.
        if operation.created > self._now + PATIENCE and hub != self._partner.hub:
            return None
        if operation.created > self._now + SKEW:
            raise RefusedError(Alarm.FUTURE, "said later than now")
        if operation.keep <= self._now:
            return None
        # 7. Of an organisation that it may vouch for; what a set is, a hub says for itself.
        if operation.op is not Op.SET and operation.operator not in operators:
            raise RefusedError(Alarm.UNVOUCHED, "the hub may not speak for this operator")
        return said

    def _proof(self, envelope: Mapping[str, Any]) -> tuple[bytes, ...]:
        """What the origin signed, and the log of whoever passed it on, which has its entry."""
        signed = written({name: envelope[name] for name in sorted(envelope)})
        return (signed,) if self._head is None else (signed, self._head.note)


def _signed(
    said: Mapping[str, Any], keys: Mapping[str, OpKey], index: int
) -> tuple[Sealed, OpKey]:
    envelope = opened(said)
    known = {one: keys[one] for one in envelope.signatures if one in keys}
    if not known:
        raise RefusedError(Alarm.UNKNOWN_KEY, "no key of its origin signed")
    held = {one: key for one, key in known.items() if key.holds_at(index)}
    if not held:
        raise RefusedError(Alarm.RETIRED_KEY, "the key did not hold there")
    for key_id, key in held.items():
        # One that counts is enough, whatever stands beside it.
        with suppress(RefusedError):
            return verified(envelope, key.public, key_id), key
    raise RefusedError(Alarm.BAD_SIGNATURE, "no signature of a key that it names")
