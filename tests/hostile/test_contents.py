# SPDX-License-Identifier: Apache-2.0
"""Group D: what is rightly signed, and not for this peer to say, or not here, or not so."""

import base64
import json
from dataclasses import replace
from secrets import token_bytes

import pytest

from federation.forms.canonical import written
from federation.identity.values import Log, RetiredKey
from federation.log.proofs import inclusion_proof
from federation.log.tiles import reading
from federation.log.verifiers import Verifier
from federation.operations.envelopes import sealed
from federation.operations.leaves import Kind
from federation.operations.payloads import operation_id, write
from federation.pages import Inclusion, Record
from hub.domain.pace import FEW
from hub.ports.exchange import SUSPENDED
from hub.services.exchange import meeting, publishing, pulling, serving
from hub.services.exchange.partners import identity_of
from hub.storage import tables
from tests.hostile.contents import GROUP, MANY
from tests.hostile.contract import HERE, OURS, directed, today
from tests.hostile.making import envelope, rightly
from tests.hostile.peer import envelope_of, honest, said, target
from tests.hostile.playing import check_honest, holds
from tests.hostile.third import (
    AUTHOR,
    LOG_ORIGIN,
    NAME,
    introduced,
    passes_on,
    theirs,
    third_file,
    third_of,
)
from tests.hostile.times import revoked
from tests.simulators.partner import KEY, OP, THIEF
from tests.simulators.statements import ORIGIN, SET
from tests.support.signing import signer

ROWS = {one.id: one for one in GROUP.behaviours}


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_not_for_the_peer_to_say_says_nothing(played, behaviour):
    played(behaviour)


def test_who_takes_anothers_id_changes_nothing_of_what_has_it(played):
    contract = played(ROWS["D21"])

    held = {one["author"]: one["id"] for one in contract.dump().indicators}
    assert holds(contract.dump(), target(1))
    assert held["hub-a.example/m/zzzzzzzzzzzzzzzz"] != target(1)


def test_what_was_taken_back_stays_taken_back(played):
    contract = played(ROWS["D12"])

    assert not holds(contract.dump(), target(1))


def test_good_entries_beside_a_bad_one_are_taken(played):
    dump = played(ROWS["D23"]).dump()

    assert holds(dump, target(81))
    assert holds(dump, target(82))
    assert not holds(dump, target(80))


def test_what_claims_to_be_corroborated_is_one_voice(played):
    contract = played(ROWS["D9.word"])

    (found,) = [one for one in contract.dump().indicators if one["id"] == target(80)]
    assert "operators" not in found["words"]


def test_what_is_taken_back_too_fast_is_not_silenced_at_once(played):
    contract = played(ROWS["D22"])

    dump = contract.dump()
    live = [number for number in MANY if holds(dump, target(number))]
    disputed = tables.appeal.select().where(tables.appeal.c.closed_at.is_(None))
    with contract.database.reader.connect() as connection, connection.begin():
        open_now = connection.execute(disputed).all()
    assert len(live) == len(MANY) - FEW
    assert len(open_now) == 30 - FEW


# -- of others, and of who shares a set ----------------------------------------------------------


def test_what_is_rightly_passed_on_is_believed_to_be_its_origins(played):
    (found,) = [one for one in played(ROWS["D28"]).dump().indicators if one["id"] == target(80)]

    assert found["author"] == AUTHOR


def test_what_is_rightly_taken_back_by_its_origin_is_gone(played):
    assert not holds(played(ROWS["D28.end"]).dump(), target(80))


def test_what_a_relay_takes_back_in_anothers_stead_stays(played):
    assert holds(played(ROWS["D28.forged"]).dump(), target(80))


def test_who_shares_a_set_its_own_hub_says_alone(played):
    assert played(ROWS["D27"]).dump().manifests == []


def test_a_hub_names_who_shares_its_own_set(played):
    (found,) = played(ROWS["D27.own"]).dump().manifests

    assert (found["set"], found["onward"], NAME in found["hubs"]) == (SET, "set", True)


def test_of_two_manifests_of_one_version_none_counts(played):
    assert played(ROWS["D27.twice"]).dump().manifests == []


def test_whose_log_has_another_key_is_asked_for_without_waiting_for_its_turn(contract):
    peer, voice = honest(), contract.hub.abroad.voice()
    assert voice is not None
    with peer.behind() as served:
        introduced(peer)
        check_honest(contract.sync(served.url), 1)
        with_another_log_key(third_of(peer))
        passes_on(theirs(80))(peer)
        with directed(peer.base, served.url, contract.address), today(contract.now):
            turn = pulling.pull(peer.pairing.hub, wait=0, hub=contract.hub, voice=voice)
            assert turn is not None
            assert turn.strangers == {NAME}
            assert not holds(contract.dump(), target(80))
            partner = contract.partner()
            known = identity_of(partner)
            assert known is not None
            ask = contract.hub.abroad.wire(partner, known), contract.hub, voice
            assert meeting.meet_all(partner, *ask, only_new=True) == 0
            assert meeting.meet_all(partner, *ask, only_new=True, strangers=turn.strangers) == 1
        check_honest(contract.sync(served.url), 0)  # all of it was read once more

    assert holds(contract.dump(), target(80))


def with_another_log_key(third):
    """What its first key signed is believed up to here."""
    (old,) = third_file().log.vkeys
    log, new = third.log, signer(164)
    retired = RetiredKey(old, log.frontier.size, log.frontier.root().hex())
    log.keys = replace(log.keys, log=new)
    third.publish(log=Log(LOG_ORIGIN, (Verifier(LOG_ORIGIN, new.public).vkey,), (retired,)))


# -- what we said ourselves ----------------------------------------------------------------------


@pytest.fixture
def ours(contract):
    """What the hub under test said itself, as the peer was served it, and the checkpoint."""
    hub, voice = contract.hub, contract.hub.abroad.voice()
    assert publishing.announce(hub, voice, token_bytes) == 1
    publishing.show_checkpoint(hub, voice)
    page = serving.page(contract.partner(), start=0, size=None, limit=1, hub=hub, voice=voice)
    (record,) = page.records
    assert (record.source, record.envelope is not None) == (HERE, True)
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        read = reading(page.size, serving.tiles_of(log, work))
        path = tuple(inclusion_proof(0, page.size, read))
    proof = Inclusion(0, page.size, path)
    return replace(record, kind=Kind.RELAY, inclusion=proof), page.checkpoint


def renamed(envelope, by=None):
    """An operation that says something else, under the signature that was there, or another."""
    told = json.loads(base64.b64decode(envelope["payload"]))
    told["body"]["name"] = "something else"
    payload = written(told)
    if by is not None:
        return sealed(payload, by, KEY).told
    return {**envelope, "payload": base64.b64encode(payload).decode()}


@pytest.mark.parametrize(
    ("change", "alarms"),
    [
        pytest.param(lambda one: replace(one, envelope=renamed(one.envelope)), [], id="D6"),
        pytest.param(
            lambda one: replace(one, envelope=renamed(one.envelope, OP)), [], id="D6.signed"
        ),
        pytest.param(lambda one: one, [], id="D6.same"),
        pytest.param(
            lambda one: replace(one, kind=Kind.OWN, source=ORIGIN, inclusion=None),
            ["unknown-key"],
            id="D6.theirs",
        ),
    ],
)
def test_what_we_said_does_not_come_back_as_something_else(contract, ours, change, alarms):
    record, note = ours
    peer = honest()
    peer.sets = (SET, OURS)
    with peer.behind() as served:
        check_honest(contract.sync(served.url), 0)
        before = contract.dump()
        one = change(replace(record, index=len(peer.log.records)))
        payload = base64.b64decode(one.envelope["payload"])
        peer.log.log(replace(one, id=operation_id(payload)))
        peer.page = lambda page, _: replace(page, notes=(note,))

        told = contract.sync(served.url)

        assert (told["ok"], told["alarms"]) == (True, alarms)
        after = contract.dump()
        assert after.held == before.held
        assert after.position["applied"] == before.position["applied"] + 1
        # Nor is it given to anybody else, nor to who asks for what it said itself.
        voice = contract.hub.abroad.voice()
        again = serving.page(
            contract.partner(), start=0, size=None, limit=9, hub=contract.hub, voice=voice
        )
        assert [each.envelope for each in again.records] == [record.envelope]
        peer.page = None
        peer.say(said(90))
        check_honest(contract.sync(served.url), 1)


# -- what is taken back ahead of the log ---------------------------------------------------------


@pytest.fixture
def far_behind(contract, monkeypatch):
    """A hub that has seen a longer log than it has applied, and so asks for revokes first."""
    monkeypatch.setattr("hub.services.exchange.pulling.FAR", 1)
    peer = honest()
    peer.say(said(81), said(82), revoked(1))
    asked = []

    def one_at_a_time(page, query):
        if page.is_sparse:
            asked.append(page.start)
            return ahead[0](page)
        return replace(peer.log.page(page.start, page.start + 1, size=page.size),
                       checkpoint=page.checkpoint) if page.start < page.size else page  # fmt: skip

    ahead = [lambda page: replace(page, records=tuple(
        one for one in page.records if one.index == 6))]  # fmt: skip
    peer.page = one_at_a_time
    return contract, peer, asked, ahead


def test_what_is_taken_back_is_taken_back_ahead_of_the_log(far_behind):
    contract, peer, asked, _ = far_behind
    with peer.behind() as served:
        told = contract.sync(served.url)

    check_honest(told, 3)
    assert asked
    assert not holds(contract.dump(), target(1))


@pytest.mark.parametrize("who", ["thief", "another hub"])
def test_nobody_else_takes_anything_back_ahead_of_the_log(far_behind, who):
    contract, peer, asked, ahead = far_behind
    one = revoked(2)
    if who == "another hub":
        one = replace(one, origin="hub-c.example", author=f"hub-c.example/m/{'k' * 16}")
    forged = envelope_of(one, THIEF if who == "thief" else OP)

    def forging(page):
        record = Record(6, Kind.OWN, ORIGIN, envelope=forged)
        return replace(page, records=(record,) if page.start <= record.index else ())

    ahead[0] = forging
    with peer.behind() as served:
        told = contract.sync(served.url)

    check_honest(told, 3)
    assert asked
    assert holds(contract.dump(), target(2))
    assert not holds(contract.dump(), target(1))


def test_a_page_of_revokes_of_something_else_is_refused(far_behind):
    contract, peer, _, ahead = far_behind
    ahead[0] = lambda page: replace(page, start=0, records=())
    with peer.behind() as served:
        told = contract.sync(served.url)

        assert told["alarms"] == ["gap"]
        peer.page = None
        check_honest(contract.sync(served.url), 2)


def test_who_says_bad_things_page_after_page_is_followed_no_more(contract):
    peer = honest()
    for number in range(110):
        told = write(said(number)).payload
        peer.put(envelope(told, rightly(told, THIEF)), told)
    before = contract.dump().held

    def ten(page, _):
        end = min(page.start + 10, page.size)
        return replace(peer.log.page(page.start, end, size=page.size), checkpoint=page.checkpoint)

    peer.page = ten
    with peer.behind() as served:
        answer = contract.sync(served.url)
        assert not answer["ok"]
        assert answer["alarms"].count("flood") == 1
        assert set(answer["alarms"]) == {"bad-signature", "flood"}
        assert contract.dump().held == before
        assert contract.partner().state == SUSPENDED

        contract.resume()
        peer.page = None
        peer.say(said(90))
        again = contract.sync(served.url)
    assert again["ok"]
    assert holds(contract.dump(), target(90))
