# SPDX-License-Identifier: Apache-2.0
"""Group F: HTTP, TLS and signatures of requests that are not what they should be."""

import threading
from dataclasses import replace

import pytest

from federation.errors import TransportError
from federation.transport.heads import LONGEST_WAIT
from federation.transport.http import public_tls
from hub.app import create_app
from tests.hostile.asking import BUNDLE, TARGET, posted, request, sent
from tests.hostile.contract import UNREACHABLE, Contract, hurried
from tests.hostile.peer import honest, said
from tests.hostile.playing import check_honest
from tests.hostile.transports import GROUP
from tests.simulators.scripted import Scripted
from tests.support.certificates import Authority
from tests.support.saying import problem

ROWS = {one.id: one for one in GROUP.behaviours}
BASE = "https://hub-a.example/fed/v1"
PUBLIC, OURS = "198.41.0.4", "127.0.0.1"
"""An address of the public network, which nobody is asked at, and our own."""


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_comes_the_wrong_way_changes_nothing(played, behaviour):
    played(behaviour)


# -- who is called -------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["F1", "F2", "F3", "F4", "F9", "F10"])
def test_nobody_is_asked_twice_and_nobody_else(contract, row):
    peer = honest()
    ROWS[row].attack(peer)

    with peer.behind() as served:
        told = contract.sync(served.url)

    assert [path for path in peer.asks if path.startswith("/ops")] == ["/ops?from=4&limit=1000"]
    assert told["retry_after"] == (LONGEST_WAIT if row == "F10" else 0.0)


@pytest.fixture
def authority(monkeypatch):
    """Somebody whom the hub under test trusts as it trusts the world's authorities."""
    found = Authority()
    context = found.trusting(public_tls())
    monkeypatch.setattr("hub.adapters.abroad._tls", lambda: context)
    return found


@pytest.fixture
def secured(tmp_path, authority):
    """A hub that has caught up with the peer over TLS, at an address of the public network."""
    peer = honest(BASE)
    Contract.init(tmp_path / "hub", str(peer.pairing)).close()
    contract = Contract(tmp_path / "hub", networks="")
    contract.address = PUBLIC
    yield contract, peer
    contract.close()


def test_a_name_that_comes_to_mean_our_own_machine_is_not_called(secured, authority, tmp_path):
    contract, peer = secured
    with peer.behind(authority.serving(tmp_path, "hub-a.example")) as served:
        check_honest(contract.sync(served.url), 4)
        before, asked = contract.dump().encoded(), len(peer.asks)
        peer.say(said(80))

        contract.address = OURS
        told = contract.sync(served.url)

        assert (told["ok"], told["alarms"]) == (False, ["transport"])
        assert contract.dump().encoded() == before
        assert len(peer.asks) == asked
        contract.address = PUBLIC
        check_honest(contract.sync(served.url), 1)


@pytest.mark.parametrize(
    ("name", "days", "itself"),
    [
        pytest.param("hub-a.example", (-20, -10), False, id="expired"),
        pytest.param("hub-c.example", (-1, 1), False, id="wrong-name"),
        pytest.param("hub-a.example", (-1, 1), True, id="self-signed"),
    ],
)
def test_a_partner_with_a_false_certificate_is_not_listened_to(
    secured, authority, tmp_path, name, days, itself
):
    contract, peer = secured
    right = authority.serving(tmp_path, "hub-a.example")
    with peer.behind(right) as served:
        check_honest(contract.sync(served.url), 4)
    before = contract.dump().encoded()
    peer.say(said(80))

    with peer.behind(authority.serving(tmp_path, name, days, itself=itself)) as served:
        told = contract.sync(served.url)

    assert (told["ok"], told["alarms"]) == (False, ["transport"])
    assert contract.dump().encoded() == before
    with peer.behind(right) as served:
        check_honest(contract.sync(served.url), 1)


def test_who_does_not_listen_is_not_held_against(secured):
    contract, _ = secured

    told = contract.sync("https://127.0.0.1:1/fed/v1")

    assert (told["ok"], told["alarms"]) == (False, [UNREACHABLE])


def test_who_hangs_holds_up_no_other_partner(contract):
    contract.seconds, peer = 2.0, honest()
    peer.say(said(80))
    is_asked = threading.Event()

    def hang(connection):
        is_asked.set()
        connection.hang()

    with Scripted(hang) as hanging, peer.behind() as served:
        base = f"http://127.0.0.1:{hanging.port}/fed/v1"
        other = replace(contract.partner(), hub="hub-c.example", base=base)
        asking = threading.Thread(target=_unanswered, args=(contract.hub.abroad, other))
        with hurried(2.0):
            asking.start()
            assert is_asked.wait(30)

            told = contract.sync(served.url)

            assert asking.is_alive()
        check_honest(told, 1)
        asking.join()


def _unanswered(abroad, partner):
    with pytest.raises(TransportError):
        abroad.identity(partner)


def test_a_chain_of_roots_has_one_budget_of_time(contract, monkeypatch):
    peer = honest()
    monkeypatch.setattr("hub.adapters.abroad.IDENTITY_SECONDS", 0.0)

    with peer.behind() as served:
        told = contract.sync(served.url)

    assert told["alarms"] == [UNREACHABLE]
    assert peer.asks == []


# -- requests to us ------------------------------------------------------------------------------


def test_a_request_as_it_should_be_is_answered(asked):
    answer = sent(asked, request(asked))

    assert answer.status_code == 200, answer.text
    assert answer.headers["Signature"]


def test_a_request_that_came_already_is_refused(asked):
    once, before = request(asked), asked.dump().encoded()
    assert sent(asked, once).status_code == 200

    again = sent(asked, once)

    assert (again.status_code, problem(again)) == (401, "not-signed")
    assert "replayed" in again.json["detail"]
    assert asked.dump().encoded() == before
    assert sent(asked, request(asked)).status_code == 200


def test_of_one_request_sent_many_times_at_once_one_is_answered(asked):
    one, app = request(asked), create_app(asked.settings, asked.hub)
    ready, statuses = threading.Barrier(8), []

    def send():
        client = app.test_client()
        ready.wait()
        statuses.append(client.get(TARGET, headers=list(one.headers)).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [401] * 7


def without_method(contract):
    one = request(contract)
    lines = {name: value.replace('"@method" ', "") for name, value in one.headers}
    return replace(one, headers=tuple(lines.items()))


def with_other_body(contract):
    """A bundle whose digest is that of another one."""
    return replace(posted(contract, BUNDLE), body=BUNDLE[:-1] + b"\x01")


def without_its_body(contract):
    """The body that was signed is not there, where none is taken."""
    return replace(request(contract, body=b'{"a":1}'), body=None)


@pytest.mark.parametrize(
    ("made", "alarm"),
    [
        pytest.param(without_method, "unsigned", id="F19"),
        pytest.param(with_other_body, "bad-signature", id="F20"),
        pytest.param(without_its_body, "bad-signature", id="F20.none"),
        pytest.param(lambda contract: request(contract, created=-61), "expired", id="F21"),
        pytest.param(lambda contract: request(contract, created=61), "future", id="F21.ahead"),
        pytest.param(
            lambda contract: replace(request(contract), headers=()), "unsigned", id="F19.all"
        ),
    ],
)
def test_a_request_that_is_not_signed_as_it_must_be_is_refused(asked, made, alarm):
    before = asked.dump().encoded()

    answer = sent(asked, made(asked))

    assert (answer.status_code, problem(answer)) == (401, "not-signed")
    assert alarm in answer.json["detail"]
    assert asked.dump().encoded() == before
    assert sent(asked, request(asked)).status_code == 200
