# SPDX-License-Identifier: Apache-2.0
"""What a partner passes on is believed as far as its origin signed and logged it."""

from dataclasses import replace

import pytest

from federation.believing import PATIENCE, SKEW
from federation.errors import Alarm, RefusedError
from federation.identity.values import OpKey
from federation.keys import MemorySigner
from federation.log.notes import Note, sign
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind
from federation.operations.values import Op
from federation.pages import Inclusion, Page
from federation.publishing import LogKeys, signed
from federation.relays import Origin
from federation.trust import Trust, accept, accept_revokes
from tests.simulators.partner import THIEF, PartnerHub, statements, trusted
from tests.simulators.statements import NOW, SET, operation

FAR = "hub-far.example"
FAR_LOG, FAR_OP, NEXT_LOG = (MemorySigner(bytes([n]) * 32) for n in (11, 12, 14))
FAR_KEYS = LogKeys(f"{FAR}/fed/1", FAR_LOG, f"{FAR}/beat", MemorySigner(bytes([13]) * 32))
KEY = f"{FAR}#op-1"
MANIFEST = {SET: "a" * 64}


def origin(**changed):
    known = Origin(
        hub=FAR,
        log=f"{FAR}/fed/1",
        keys=(Verifier(f"{FAR}/fed/1", FAR_LOG.public),),
        op_keys={KEY: OpKey(KEY, FAR_OP.public, 1, 0, None)},
        operators=frozenset({"games.example"}),
        sets=frozenset({SET}),
    )
    return replace(known, **changed)


def partner(**changed):
    return trusted(**{"relays": {FAR: origin()}, "manifests": MANIFEST, **changed})


def of_far(one, **policy):
    """An operation as the far hub would say it."""
    author = one.author.replace(one.origin, FAR)
    return replace(
        one, origin=FAR, author=author, policy=replace(one.policy, **{"onward": "set", **policy})
    )


class Relay:
    """A partner that passes on what a far hub said."""

    def __init__(self):
        self.far, self.near, self.notes = PartnerHub(keys=FAR_KEYS), PartnerHub(), {}

    def say(self, *operations, signer=FAR_OP, key_id=KEY):
        for one in signed(operations, signer, key_id):
            self.far.log(self.far.record(one))

    def pass_on(self, index, **changed):
        """Log what is there at the far hub, with what proves it."""
        size, record = self.far.frontier.size, self.far.records[index]
        path = self.far.path(index)
        self.notes[size] = self.far.note()
        relayed = replace(
            record, index=len(self.near.records), kind=Kind.RELAY,
            inclusion=Inclusion(index, size, path),
        )  # fmt: skip
        self.near.log(replace(relayed, **changed))

    def page(self, **changed):
        told = {"manifests": MANIFEST, "notes": tuple(self.notes.values())}
        return self.near.page(**{**told, **changed}).encoded()

    def heard(self, who=None, **changed):
        return accept(self.page(**changed), who or partner(), Trust(), NOW)


@pytest.fixture
def relay():
    made = Relay()
    made.say(*map(of_far, statements(5)))
    return made


def alarms(found):
    return [one.alarm for one in found.refused]


def test_what_its_origin_said_is_believed_through_another(relay):
    for index in (3, 1):
        relay.pass_on(index)

    found = relay.heard()

    assert [one.inclusion.index for one in found.operations] == [3, 1]
    assert {one.operation.origin for one in found.operations} == {FAR}
    assert found.operations[0].note == relay.far.note()
    assert found.manifests == MANIFEST


def test_a_relay_whose_origin_no_manifest_names_is_refused(relay):
    relay.pass_on(0)

    assert alarms(relay.heard(partner(relays={}))) == [Alarm.WRONG_ORIGIN]
    somewhere = origin(sets=frozenset({"set_" + "z" * 26}))
    assert alarms(relay.heard(partner(relays={FAR: somewhere}))) == [Alarm.WRONG_ORIGIN]


def test_whoever_goes_by_another_manifest_is_not_blamed_and_not_believed(relay):
    relay.pass_on(0)

    found = relay.heard(partner(relays={}), manifests={SET: "b" * 64})

    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def test_of_whom_nobody_told_who_it_is_nothing_is_believed_yet(relay):
    relay.pass_on(0)

    found = relay.heard(partner(relays={FAR: Origin(FAR, sets=frozenset({SET}))}))

    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def test_a_forged_relay_is_not_believed_whoever_signs_the_log_it_shows():
    made = Relay()
    made.say(*map(of_far, statements(1)), signer=THIEF)
    made.far.keys = replace(FAR_KEYS, log=THIEF)
    made.pass_on(0)

    found = made.heard()
    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def with_log_keys(*keys, **changed):
    """A partner that passes on what the far hub said, whose log has these keys by now."""
    verifiers = tuple(Verifier(f"{FAR}/fed/1", one.public) for one in keys)
    return partner(relays={FAR: origin(keys=verifiers, **changed)})


def test_what_an_earlier_key_of_its_log_signed_is_believed_up_to_its_end(relay):
    relay.pass_on(3)
    retired = Verifier(f"{FAR}/fed/1", FAR_LOG.public)

    found = relay.heard(with_log_keys(NEXT_LOG, retired=((retired, 5),)))
    assert ([one.inclusion.index for one in found.operations], found.refused) == ([3], ())
    # It signed no tree as large as this one.
    found = relay.heard(with_log_keys(NEXT_LOG, retired=((retired, 4),)))
    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def test_another_key_of_its_log_harms_no_relay_and_it_is_asked_who_its_origin_is():
    """Whoever is on the way heard of it earlier, or later."""
    relay = Relay()
    relay.say(*map(of_far, statements(12)))
    relay.far.keys = replace(FAR_KEYS, log=NEXT_LOG)
    for index in range(12):
        relay.pass_on(index)

    found = relay.heard()
    assert (found.operations, found.refused, found.passed) == ((), (), 12)
    assert found.strangers == {FAR}
    assert relay.heard(with_log_keys(FAR_LOG, NEXT_LOG)).passed == 0


def test_a_false_line_under_its_origins_checkpoint_is_not_the_relays(relay):
    """It may not know the key yet by which that line says to be."""
    relay.pass_on(0)
    note = Note.parse(relay.far.note())
    false = replace(sign(note.text, f"{FAR}/fed/1", NEXT_LOG), payload=b"\0" * 64)
    shown = (note.with_signatures([false]).encoded(),)

    assert len(relay.heard(notes=shown).operations) == 1
    found = relay.heard(with_log_keys(FAR_LOG, NEXT_LOG), notes=shown)
    assert (found.operations, found.refused, found.passed) == ((), (), 1)


@pytest.mark.parametrize(("seconds", "passed"), [(SKEW, 0), (PATIENCE + 1, 1)])
def test_what_is_said_far_from_now_holds_up_nothing_else(relay, seconds, passed):
    relay.say(of_far(replace(operation(salt=b"f" * 16), created=NOW + seconds)))
    relay.pass_on(5)
    relay.pass_on(0)

    found = relay.heard()
    assert (len(found.operations), found.passed, found.refused) == (2 - passed, passed, ())


@pytest.mark.parametrize("seconds", [SKEW + 1, PATIENCE])
def test_what_is_said_a_little_later_than_now_is_waited_for(relay, seconds):
    relay.say(of_far(replace(operation(salt=b"f" * 16), created=NOW + seconds)))
    relay.pass_on(5)

    with pytest.raises(RefusedError) as refused:
        relay.heard()
    assert refused.value.alarm is Alarm.FUTURE


def test_a_forged_operation_is_in_no_log(relay):
    (one,) = signed([of_far(statements(6)[5])], THIEF, KEY)
    relay.pass_on(0, id=one.said.id, envelope=one.sealed.told)

    assert alarms(relay.heard()) == [Alarm.NOT_IN_LOG]


def test_a_relay_without_a_proof_is_refused(relay):
    relay.pass_on(0, inclusion=None)

    assert alarms(relay.heard()) == [Alarm.NOT_IN_LOG]


@pytest.mark.parametrize("change", [{"index": 1}, {"size": 4}, {"path": (b"\1" * 32,) * 3}])
def test_a_proof_of_something_else_is_none(relay, change):
    relay.pass_on(0)
    last = relay.near.records[0]
    relay.near.records[0] = replace(last, inclusion=replace(last.inclusion, **change))

    assert alarms(relay.heard()) == [Alarm.NOT_IN_LOG]


def test_a_proof_without_its_checkpoint_is_none(relay):
    relay.pass_on(0)

    assert alarms(relay.heard(notes=(relay.near.note(),))) == [Alarm.NOT_IN_LOG]


def test_what_is_proven_in_another_log_of_its_hub_is_nobodys_fault(relay):
    """It has another log by now, of which one of us does not know yet."""
    relay.pass_on(0)
    later = origin(log=f"{FAR}/fed/2")

    found = relay.heard(partner(relays={FAR: later}))
    assert (found.operations, found.refused, found.passed) == ((), (), 1)

    elsewhere = (b"hub-else.example/fed/1" + relay.far.note()[len(f"{FAR}/fed/1") :],)
    assert alarms(relay.heard(partner(relays={FAR: later}), notes=elsewhere)) == [Alarm.NOT_IN_LOG]


def test_what_another_key_signed_is_refused_also_where_its_hub_logged_it():
    relay = Relay()
    relay.say(of_far(statements(1)[0]), signer=THIEF)
    relay.pass_on(0)

    assert alarms(relay.heard()) == [Alarm.BAD_SIGNATURE]


def test_a_key_counts_by_the_place_in_its_own_hubs_log(relay):
    for index in range(5):
        relay.pass_on(index)
    stolen = {KEY: OpKey(KEY, FAR_OP.public, 1, 0, 3)}

    found = relay.heard(partner(relays={FAR: origin(op_keys=stolen)}))

    assert [one.inclusion.index for one in found.operations] == [0, 1, 2]
    assert (found.refused, found.passed) == ((), 2)


def test_what_must_not_go_on_proves_who_passed_it_on():
    relay = Relay()
    relay.say(of_far(statements(1)[0], onward="none"))
    relay.pass_on(0)

    (refused,) = relay.heard().refused

    assert refused.alarm is Alarm.OUT_OF_AUDIENCE
    envelope, note = refused.evidence
    assert b'"payload"' in envelope
    assert note == relay.near.note()


@pytest.mark.parametrize("tlp", ["red", "amber+strict"])
def test_what_its_label_keeps_at_home_is_refused(tlp):
    relay = Relay()
    relay.say(of_far(statements(1)[0], tlp=tlp))
    relay.pass_on(0)

    assert alarms(relay.heard()) == [Alarm.OUT_OF_AUDIENCE]


def test_for_whom_a_relayed_hub_speaks_is_settled_here_and_nobodys_fault(relay):
    relay.pass_on(0)

    found = relay.heard(partner(relays={FAR: origin(operators=frozenset({"other.example"}))}))

    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def test_a_manifest_comes_by_others_from_the_hub_of_its_set_alone():
    relay = Relay()
    relay.say(of_far(operation(Op.SET, operator="games.example")))
    relay.pass_on(0)
    home = origin(sets=frozenset(), homes=frozenset({SET}))

    assert len(relay.heard(partner(relays={FAR: home})).operations) == 1
    assert alarms(relay.heard(partner(relays={FAR: origin(sets=frozenset())}))) == [
        Alarm.WRONG_ORIGIN
    ]


def test_what_is_taken_back_comes_early_with_the_same_proof(relay):
    relay.say(of_far(operation(Op.REVOKE, n=2, previous="0" * 64)))
    relay.pass_on(5)
    early = Page(
        0, 1, 1, tuple(relay.near.records), (SET,), (), None, is_sparse=True,
        manifests=MANIFEST, notes=tuple(relay.notes.values()),
    )  # fmt: skip

    found, end = accept_revokes(early.encoded(), partner(), Trust(), NOW)
    assert ([one.operation.op for one in found], end) == ([Op.REVOKE], 1)
    bare = replace(early, records=(replace(early.records[0], inclusion=None),))
    assert accept_revokes(bare.encoded(), partner(), Trust(), NOW) == ((), 1)


def test_what_a_partner_says_itself_and_may_go_on_comes_with_what_proves_it():
    hub = PartnerHub()
    some = statements(6)
    hub.say(
        *some[:3], *(replace(one, policy=replace(one.policy, onward="set")) for one in some[3:])
    )

    found = accept(hub.page(0, 5).encoded(), trusted(), Trust(), NOW)

    assert [one.inclusion is not None for one in found.operations] == [False] * 3 + [True] * 2
    proof = found.operations[3].inclusion
    assert proof is not None
    assert proof.path == hub.path(3)
    assert found.operations[3].note == hub.note()
