# SPDX-License-Identifier: Apache-2.0
"""The drill between hubs: a backup is put back, or a key changed, and partners go on as before.

Real hubs through ``breakwater up`` and the console. What a member had said since the copy was made
is its own again, and what it had taken back stays so, at home and abroad.
"""

import random

import pytest

from hub.adapters.identities import Identity
from hub.client import Client, Contribution, Words
from hub.client.values import Code
from hub.demo.paired import THREE, pair, running_hubs, share
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with running_hubs(tmp_path_factory.mktemp("hubs"), THREE[:2]) as hubs:
        pair(hubs)
        yield (*hubs, share(hubs))


@pytest.fixture
def says(network):
    """Contribute a picture at a hub; returns its code and its id."""
    _, _, shared = network

    def say(hub):
        bits = [1] * 128 + [0] * 128
        random.shuffle(bits)
        code = f"{int(''.join(map(str, bits)), 2):064x}"
        words = Words((shared,), ("grooming",), "offer", "no-person", "own-service-human", 1)
        said = Contribution.of_codes((Code("pdq", code, quality=90),), words)
        with Client(hub.running.url, hub.key) as client:
            return code, client.contribute(said).id

    return say


def answer(hub, code):
    with Client(hub.running.url, hub.key) as client:
        return client.match_codes({"pdq": [code]}).answers[0].answer


def withdraw(hub, indicator):
    with Client(hub.running.url, hub.key) as client:
        client.withdraw(indicator)


def known(hub):
    return Identity(hub.exchange.parent).known()


def evidence(hub, other):
    return [one["alarm"] for one in hub.type("partners", "evidence", other.name)]


def test_a_hub_that_was_put_back_gets_back_what_it_had_said(network, says, tmp_path):
    a, b, _ = network
    before, withdrawn_since = says(a)
    eventually(lambda: answer(b, before) == "hit")
    first = known(a).log.origin
    a.type("backup", str(tmp_path / "copy"), "--keys", str(tmp_path / "keys"))
    since, indicator = says(a)
    withdraw(a, withdrawn_since)
    eventually(lambda: (answer(b, since), answer(b, before)) == ("hit", "none"))

    a.close()
    a.type("restore", str(tmp_path / "copy"), "--force")
    a.running.start()

    eventually(lambda: (answer(a, since), answer(a, before)) == ("hit", "none"))
    eventually(lambda: known(a).log.origin != first)
    later, _ = says(a)
    eventually(lambda: answer(b, later) == "hit")
    assert (answer(b, since), answer(b, before)) == ("hit", "none")
    # It is the member's own again: what it takes back is gone at the partner.
    withdraw(a, indicator)
    eventually(lambda: answer(b, since) == "none")
    assert "fork" not in evidence(b, a)


@pytest.mark.parametrize("what", ["operations", "requests", "identity"])
def test_keys_are_replaced_while_hubs_run(network, says, what):
    a, b, _ = network

    a.type("keys", "replace", what)

    here, _ = says(a)
    there, _ = says(b)
    eventually(lambda: (answer(b, here), answer(a, there)) == ("hit", "hit"))


def test_a_log_whose_key_was_stolen_is_closed_and_another_goes_on(network, says):
    a, b, _ = network
    known_before, _ = says(a)
    eventually(lambda: answer(b, known_before) == "hit")
    before = known(a).log.origin

    a.type("log", "reopen", "--yes")

    later, indicator = says(a)
    eventually(lambda: answer(b, later) == "hit")
    assert known(a).log.origin != before
    assert answer(b, known_before) == "hit"
    withdraw(a, indicator)
    eventually(lambda: answer(b, later) == "none")
