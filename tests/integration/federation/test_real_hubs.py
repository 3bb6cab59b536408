# SPDX-License-Identifier: Apache-2.0
"""Real hubs through ``breakwater up`` and the console, as verifiers and crashes see them.

One pair of hubs serves all tests here; each test leaves them running, and following each other.
"""

import contextlib
import hashlib
import http.client
import json
import os
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from tuf.ngclient import Updater

from federation.identity.hubfile import NAME, read_hub_file
from federation.log.checkpoints import Checkpoint, opened
from federation.log.cosignatures import Cosigner, times
from federation.log.merkle import Frontier, leaf_hash
from federation.log.notes import Note, Signature
from federation.log.proofs import consistency_proof
from federation.log.tiles import reading
from federation.log.verifiers import Verifier
from federation.signers.files import load
from federation.transport.messages import Request
from federation.transport.signatures import Signing, new_nonce, signed_request
from federation.witnessing import Request as WitnessRequest
from hub.adapters.identities import Identity
from hub.client import Client
from hub.demo.paired import THREE, pair, running_hubs, share
from tests.support.codes import pdq
from tests.support.oracles import asked_of, foreign_witness_of, go_built, oracle, told
from tests.support.real_hubs import answers, contributed
from tests.support.signing import signer
from tests.support.waiting import eventually

HERE = Path(__file__).parent
FULL = 300
"""Entries: more than one tile holds."""


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with running_hubs(tmp_path_factory.mktemp("hubs"), THREE[:2]) as hubs:
        pair(hubs)
        made = share(hubs)
        eventually(lambda: all(follows(one, other) for one in hubs for other in hubs))
        a, b = hubs
        for _ in range(FULL // 100):
            contributed(a, made, *(pdq() for _ in range(100)))
        eventually(lambda: noted(a).size >= FULL and b.partners()[a.name]["behind"] == 0)
        yield a, b, made


def follows(hub, other):
    found = hub.partners().get(other.name)
    return hub is other or (found is not None and not found["error"] and not found["behind"])


def fetched(url, body=None):
    with urllib.request.urlopen(url, body, timeout=60) as answer:  # noqa: S310 - this machine
        return answer.read()


def log_url(hub):
    return f"{hub.running.url}/fed/v1/log"


def known(hub):
    return Identity(hub.exchange.parent).known()


def note(hub):
    return Note.parse(fetched(f"{log_url(hub)}/checkpoint"))


def noted(hub):
    log = known(hub).log
    return opened(note(hub), log.origin, [Verifier.parse(one) for one in log.vkeys])


# -- verifiers of other people -------------------------------------------------------------------


def test_tufs_own_client_begins_at_the_pairing_line_and_downloads_who_the_hub_is(
    network, tmp_path
):
    a, _, _ = network
    base = f"{a.running.url}/fed/v1/tuf"
    root = fetched(f"{base}/metadata/1.root.json")
    assert hashlib.sha256(root).hexdigest() in a.line
    places = [tmp_path / "metadata", tmp_path / "targets"]
    for place in places:
        place.mkdir()

    updater = Updater(
        str(places[0]),
        f"{base}/metadata/",
        target_dir=str(places[1]),
        target_base_url=f"{base}/targets/",
        bootstrap=root,
    )
    updater.refresh()
    found = updater.get_targetinfo(NAME)
    assert found is not None
    path = updater.download_target(found)

    assert read_hub_file(Path(path).read_bytes()) == known(a)


@pytest.fixture(scope="module")
def old(network, tmp_path_factory):
    """The checkpoint of some entries ago, as the hub signed it then."""
    a, _, shared = network
    path = tmp_path_factory.mktemp("old") / "old.note"
    before = note(a)
    path.write_bytes(before.encoded())
    size = noted(a).size
    contributed(a, shared, *(pdq() for _ in range(9)))
    eventually(lambda: noted(a).size >= size + 9)
    return path


def asked(what, hub, *words):
    vkey = known(hub).log.vkeys[0]
    return told("aics-tlog", what, "--tiles", log_url(hub) + "/", "--log-key", vkey, *words)


@pytest.mark.services
def test_aics_tlog_believes_a_running_hub(network, old, tmp_path):
    a, b, _ = network
    witness = Cosigner.parse(known(b).witness)
    eventually(lambda: witness in times(note(a), [witness]))
    quorum = ("--witness-key", witness.vkey, "--quorum", "1", "--max-age", "3600")

    done = [
        asked("verify-checkpoint", a, "--origin", known(a).log.origin, *quorum),
        asked("verify-consistency", a, "--old-checkpoint", old),
        *(asked("verify-inclusion", a, "--index", index) for index in (0, 255, 256, FULL)),
    ]

    assert [one.returncode for one in done] == [0] * len(done), [one.stderr for one in done]


@pytest.mark.services
def test_aics_witness_cosigns_what_a_running_hub_shows_as_it_grows(network, tmp_path):
    a, _, shared = network
    log = known(a).log
    with foreign_witness_of(log.origin, log.vkeys[0], tmp_path) as (address, key):

        def submit(old, shown, proof=()):
            body = WitnessRequest(old, tuple(proof), shown).encoded()
            status, lines = asked_of(f"{address}/add-checkpoint", body)
            return status, shown.with_signatures(map(Signature.parse, lines.splitlines()))

        first = note(a)
        before = Checkpoint.parse(first.text).size
        submitted, cosigned = submit(0, plain(first))
        assert submitted == 200
        assert key in times(cosigned, [key])

        contributed(a, shared, pdq())
        eventually(lambda: noted(a).size > before)
        later = note(a)
        size = Checkpoint.parse(later.text).size
        grown, cosigned = submit(
            before, plain(later), consistency_proof(before, size, read(a, size))
        )
        assert grown == 200
        assert key in times(cosigned, [key])


def plain(shown):
    """A checkpoint with its log's signature alone, as whoever asks a stranger to cosign it."""
    return Note(shown.text, shown.signatures[:1])


def read(hub, size):
    """Read hashes from the tiles of a running hub's log."""

    def fetch(tiles):
        return [fetched(f"{log_url(hub)}/{one.path}") for one in tiles]

    return reading(size, fetch)


@pytest.mark.services
def test_a_log_of_others_is_refused_by_a_running_hub_that_does_not_know_it(network, tmp_path):
    """aics-tlog's own feeder asks: it is told as the protocol of witnesses says."""
    _, b, _ = network
    python = Path(oracle("aics-witness")).parent / "python"
    (tmp_path / "entries").write_bytes(b"one\ntwo\n")
    root = Frontier().extended([leaf_hash(b"one"), leaf_hash(b"two")]).root()
    unknown = Checkpoint("hub-x.example/fed/1", 2, root).signed(signer(1))
    (tmp_path / "first.note").write_bytes(unknown.encoded())
    words = (f"{b.running.url}/fed/v1/witness", known(b).witness, tmp_path, tmp_path / "entries")

    done = told(python, HERE / "feeds.py", *words, "first")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["refused 404"]


@pytest.mark.services
def test_the_feeder_of_others_has_a_running_hub_cosign(network, tmp_path):
    a, b, _ = network
    python = Path(oracle("aics-witness")).parent / "python"
    size = noted(a).size
    (tmp_path / "entries").write_bytes(b"".join(one + b"\n" for one in entries(a, size)))
    (tmp_path / "now.note").write_bytes(plain(note(a)).encoded())
    words = (f"{b.running.url}/fed/v1/witness", known(b).witness, tmp_path, tmp_path / "entries")

    done = told(python, HERE / "feeds.py", *words, "now")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"cosigned {Cosigner.parse(known(b).witness).name}"]


@pytest.mark.services
def test_go_believes_a_running_hub(network, old, tmp_path):
    a, _, _ = network
    program = go_built(HERE / "verify.go", tmp_path / "verify")

    done = told(program, log_url(a), known(a).log.vkeys[0], old, 0, 255, 256, FULL)

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["entries"]) == {"0", "255", "256", str(FULL)}


def test_the_entries_a_hub_shows_make_the_root_it_signed(network):
    """What anybody can check with RFC 6962 and the tiles alone."""
    a, _, _ = network
    checkpoint = noted(a)
    hashes = [leaf_hash(one) for one in entries(a, checkpoint.size)]

    assert Frontier().extended(hashes).root() == checkpoint.root


def entries(hub, size):
    """The entries of a running hub's log, as anybody may read them."""
    found = []
    for first in range(0, size, 256):
        width = min(256, size - first)
        part = f".p/{width}" if width < 256 else ""
        bundle = fetched(f"{log_url(hub)}/tile/entries/{first // 256:03}{part}")
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            found.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    return found


def test_the_partner_cosigns_what_it_saw(network):
    a, b, _ = network
    witness = Cosigner.parse(known(b).witness)
    eventually(lambda: witness in times(note(a), [witness]))
    name = hashlib.sha256(known(a).log.origin.encode()).hexdigest()

    shown = Note.parse(fetched(f"{b.running.url}/fed/v1/witness/{name}/checkpoint"))

    assert Checkpoint.parse(shown.text).origin == known(a).log.origin
    assert witness in times(shown, [witness])


# -- crashes -------------------------------------------------------------------------------------


def test_a_hub_that_is_killed_while_it_follows_loses_nothing_and_takes_nothing_twice(network):
    a, b, shared = network
    codes = [pdq() for _ in range(400)]

    def say():
        for first in range(0, len(codes), 50):
            contributed(a, shared, *codes[first : first + 50])

    saying = threading.Thread(target=say)
    saying.start()
    eventually(lambda: "hit" in answers(b, *codes[:100]))
    b.running.kill()
    b.running.start()
    saying.join()

    eventually(lambda: set(answers(b, *codes)) == {"hit"})
    eventually(lambda: b.partners()[a.name]["behind"] == 0)
    with Client(b.running.url, b.key) as client:
        found = client.match_codes({"pdq": codes}).answers
    assert [len(one.hits) for one in found] == [1] * len(codes)
    applied = {one["hub"]: one for one in b.type("partners", "list")}[a.name]["applied"]
    assert applied == noted(a).size
    assert b.type("partners", "evidence", a.name) == []


# -- the end -------------------------------------------------------------------------------------


def waiting_poll(hub, partner, size):
    """A partner's long poll, rightly signed, that nothing new will answer."""
    signing = Signing(known(partner).req_keys[-1].id, load(partner.exchange / "keys/req-1.key"))
    path = f"/fed/v1/ops?from={size}&wait=25"
    request = Request("GET", hub.running.url + path, (), None)
    signed = signed_request(
        request, signing, created=int(time.time()), nonce=new_nonce(os.urandom)
    )
    line = http.client.HTTPConnection("127.0.0.1", hub.running.port, timeout=60)
    line.request("GET", path, headers=dict(signed.headers))
    return line


def test_a_hub_that_a_partner_waits_at_stops_at_once_and_answers_it(network):
    a, b, _ = network
    line = waiting_poll(b, a, noted(b).size)
    time.sleep(1)

    began = time.monotonic()
    b.running.stop()
    took = time.monotonic() - began
    with contextlib.closing(line), line.getresponse() as answer:
        answer.read()
    b.running.start()

    assert answer.status == 200
    assert took < 4  # seconds; granian kills after five
    eventually(lambda: follows(a, b) and follows(b, a))


def test_a_hub_that_a_platform_waits_at_stops_at_once_and_answers_it(network):
    a, _, _ = network
    with Client(a.running.url, a.key) as client:
        cursor = client.changes().cursor
        found = []
        waiting = threading.Thread(target=lambda: found.append(client.changes(cursor, wait=25)))
        waiting.start()
        time.sleep(1)

        began = time.monotonic()
        a.running.stop()
        took = time.monotonic() - began
        waiting.join()
    a.running.start()

    assert [one.records for one in found] == [()]
    assert took < 4  # seconds, as above


def test_another_key_of_requests_is_not_held_against_its_hub(network):
    a, b, made = network
    seen = pdq()

    a.type("keys", "replace", "requests")
    contributed(a, made, seen)

    eventually(lambda: answers(b, seen) == ["hit"])
    assert "transport" not in [one["alarm"] for one in b.type("partners", "evidence", a.name)]
