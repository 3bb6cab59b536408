# SPDX-License-Identifier: Apache-2.0
"""A partner's identity over real HTTP, by TUF's own client: what is honest is believed, no more.

Each refusal is followed by an honest look: nothing of what was refused is in its way.
"""

import hashlib
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from federation.errors import Alarm, MissingKeyError, RefusedError, TransportError
from federation.identity import metadata, repository
from federation.identity.client import MAX_FILE, Followed, follow
from federation.identity.folders import Folder
from federation.identity.hubfile import write
from federation.identity.pairing import Pairing
from federation.identity.values import OpKey
from federation.keys import PublicKey
from tests.simulators.identities import BASE, HUB, hub_file
from tests.support.repositories import (
    DAY,
    Partner,
    contents,
    online,
    roles,
    signed_root,
    signers_of,
)
from tests.support.signing import signer

NOW = int(time.time())
TIMESTAMP = "metadata/timestamp.json"


class Server:
    """Serves a folder under /fed/v1/tuf on a port of its own, and some paths as it is told."""

    def __init__(self, folder):
        self.endless: set[str] = set()
        self.broken = False
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.removeprefix("/fed/v1/tuf/")
                if served.broken:
                    self.send_error(503)
                elif path in served.endless:
                    self.send_response(200)
                    self.end_headers()
                    self.stream()
                elif (folder / path).is_file():
                    data = (folder / path).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                else:
                    self.send_error(404)

            def stream(self):
                try:
                    while True:
                        self.wfile.write(b" " * 65536)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}/fed/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def fetch(self, path, max_bytes):
        """The least that a way to a partner must do."""
        try:
            with urllib.request.urlopen(self.base + path, timeout=10) as answer:  # noqa: S310 - this machine
                data = answer.read(max_bytes + 1)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
            raise TransportError("no answer") from error
        except OSError as error:
            raise TransportError("no answer") from error
        if len(data) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "more than was asked for")
        return data

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def served(tmp_path):
    return tmp_path / "tuf"


@pytest.fixture
def server(served):
    server = Server(served)
    yield server
    server.close()


@pytest.fixture
def partner(served):
    return Partner(Folder(served), NOW)


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


class Follower:
    """One who follows the partner, and asks of every refusal what was kept of it."""

    def __init__(self, pairing, server, state):
        self.pairing, self.server, self.state = pairing, server, state

    def look(self):
        return follow(self.pairing, self.server.fetch, self.state)

    def refuses(self, alarm, *, may_keep=()):
        """Look, be refused, and find kept what was, and what was rightly signed."""
        before = contents(self.state)
        with pytest.raises(RefusedError) as refused:
            self.look()
        after = contents(self.state)
        for name in may_keep:
            before.pop(name, None)
            after.pop(name, None)
        assert refused.value.alarm == alarm
        assert after == before


@pytest.fixture
def follower(partner, server, state):
    return Follower(partner.begin(), server, state)


def put(served, name, data):
    """Put something in the place of a file; returns what was there."""
    before = (served / name).read_bytes()
    (served / name).write_bytes(data)
    return before


def test_a_pairing_string_is_enough_to_begin(follower):
    follower.pairing = Pairing.parse(str(follower.pairing))

    assert follower.look() == Followed(hub_file(), 1)


def test_a_look_at_what_is_known_asks_for_two_files(follower, server):
    follower.look()
    asked = []

    def fetch(path, max_bytes):
        asked.append(path)
        return server.fetch(path, max_bytes)

    follow(follower.pairing, fetch, follower.state)

    assert asked == ["/tuf/metadata/2.root.json", "/tuf/metadata/timestamp.json"]


def test_another_first_root_than_the_pairing_string_names_is_refused(follower, state):
    follower.pairing = Pairing(HUB, BASE, "0" * 64)

    with pytest.raises(RefusedError) as refused:
        follower.look()
    assert refused.value.alarm == Alarm.BAD_SIGNATURE
    assert contents(state) == {}


def test_a_first_root_is_not_trusted_for_being_there(follower, state):
    history = state / "metadata" / "root_history"
    history.mkdir(parents=True)
    (history / "1.root.json").write_bytes(b"planted")

    assert follower.look().root_version == 1


def test_a_new_file_is_followed(follower, partner):
    follower.look()
    partner.publish(min_version=2)

    assert follower.look().hub.min_version == 2


def test_a_refreshed_partner_is_followed(follower, partner):
    follower.look()
    partner.refresh()

    assert follower.look() == Followed(hub_file(), 1)


@pytest.mark.parametrize("leaving", [True, False])
def test_a_root_with_replaced_keys_is_followed(follower, partner, leaving):
    follower.look()
    partner.rotate(leaving=leaving)
    partner.publish(min_version=2)

    followed = follower.look()

    assert (followed.root_version, followed.hub.min_version) == (2, 2)


def test_who_was_away_follows_root_after_root(follower, partner):
    follower.look()
    partner.rotate()
    partner.rotate(signing=(2, 4, 5), roots=(2, 4, 5), first=30)

    assert follower.look().root_version == 3


def test_who_begins_late_begins_at_the_first_root(follower, partner):
    partner.rotate()

    assert follower.look().root_version == 2


def test_an_older_timestamp_is_refused(follower, partner, served):
    old = (served / TIMESTAMP).read_bytes()
    partner.publish(min_version=2)
    follower.look()
    new = put(served, TIMESTAMP, old)

    follower.refuses(Alarm.ROLLBACK)

    put(served, TIMESTAMP, new)
    assert follower.look().hub.min_version == 2


def test_a_timestamp_of_a_retired_key_is_refused(follower, partner, served):
    partner.rotate()
    follower.look()
    forged = metadata.write_timestamp(
        (served / "metadata/2.snapshot.json").read_bytes(), 9, online(10).timestamp, NOW
    )
    new = put(served, TIMESTAMP, forged)

    follower.refuses(Alarm.BAD_SIGNATURE)

    put(served, TIMESTAMP, new)
    assert follower.look().root_version == 2


def test_a_partner_that_says_nothing_new_becomes_stale(follower, partner, served):
    follower.look()
    partner.refresh(NOW - DAY - 1)

    follower.refuses(Alarm.STALE)

    partner.refresh(NOW)
    assert follower.look().hub == hub_file()


def test_a_first_look_at_a_stale_partner_keeps_its_first_root_and_no_more(follower, partner):
    partner.refresh(NOW - DAY - 1)

    follower.refuses(
        Alarm.STALE, may_keep=("metadata/root_history/1.root.json", "metadata/root.json")
    )


def test_an_expired_root_is_stale(partner, server, state):
    partner.now = NOW - 366 * DAY
    follower = Follower(partner.begin(), server, state)
    partner.refresh(NOW)

    follower.refuses(
        Alarm.STALE, may_keep=("metadata/root_history/1.root.json", "metadata/root.json")
    )

    partner.now = NOW
    partner.rotate()
    assert follower.look().root_version == 2


def signed_by_one(root):
    said = json.loads(root)
    said["signatures"] = said["signatures"][:1]
    return json.dumps(said).encode()


def test_a_root_signed_by_one_of_two_is_refused(follower, partner, served):
    follower.look()
    partner.rotate()
    root = put(
        served,
        "metadata/2.root.json",
        signed_by_one((served / "metadata/2.root.json").read_bytes()),
    )

    follower.refuses(Alarm.BAD_SIGNATURE)

    put(served, "metadata/2.root.json", root)
    assert follower.look().root_version == 2


@pytest.mark.parametrize("signing", [(1, 4, 5), (4, 5, 6)])
def test_a_root_that_too_few_of_the_old_keys_signed_is_refused(follower, served, signing):
    follower.look()
    # What a thief of so many keys would make: right by its own roles.
    root = metadata.write_root(roles((4, 5, 6), first=20), signers_of(signing), NOW)
    said = json.loads(root)["signed"]
    (served / "metadata/2.root.json").write_bytes(signed_root({**said, "version": 2}, signing))

    follower.refuses(Alarm.BAD_SIGNATURE)

    (served / "metadata/2.root.json").unlink()
    assert follower.look().root_version == 1


def test_a_root_that_leaves_one_out_is_refused(follower, partner, served):
    follower.look()
    partner.rotate()
    partner.rotate(signing=(1, 2), roots=(1, 2, 4), first=20)
    third = (served / "metadata/3.root.json").read_bytes()
    second = put(served, "metadata/2.root.json", third)

    follower.refuses(Alarm.GAP)

    put(served, "metadata/2.root.json", second)
    assert follower.look().root_version == 3


def test_the_first_root_again_is_no_second(follower, served):
    follower.look()
    first = (served / "metadata/1.root.json").read_bytes()
    (served / "metadata/2.root.json").write_bytes(first)

    follower.refuses(Alarm.ROLLBACK)


def test_a_later_root_without_the_one_between_is_not_reached(follower, partner, served):
    follower.look()
    partner.rotate()
    partner.rotate(signing=(2, 4, 5), roots=(2, 4, 5), first=30)
    hidden = (served / "metadata/2.root.json").read_bytes()
    (served / "metadata/2.root.json").unlink()

    # The timestamp is of keys that only the third root names.
    follower.refuses(Alarm.BAD_SIGNATURE)

    (served / "metadata/2.root.json").write_bytes(hidden)
    assert follower.look().root_version == 3


NEWLY_SIGNED = tuple(f"metadata/{kind}.json" for kind in ("timestamp", "snapshot", "targets"))


def test_an_altered_file_is_refused(follower, partner, served):
    follower.look()
    partner.publish(min_version=2)
    name = partner.target_name()
    honest = put(served, name, write(partner.hub).replace(b'"min_version":2', b'"min_version":3'))

    follower.refuses(Alarm.BAD_SIGNATURE, may_keep=NEWLY_SIGNED)

    put(served, name, honest)
    assert follower.look().hub.min_version == 2


def test_a_file_cut_short_is_refused(follower, partner, served):
    follower.look()
    partner.publish(min_version=2)
    honest = put(served, partner.target_name(), b"{}")

    follower.refuses(Alarm.BAD_SIGNATURE, may_keep=NEWLY_SIGNED)

    put(served, partner.target_name(), honest)
    assert follower.look().hub.min_version == 2


@pytest.mark.parametrize("kind", ["2.targets", "2.snapshot"])
def test_metadata_of_other_bytes_is_refused(follower, partner, served, kind):
    follower.look()
    partner.publish(min_version=2)
    name = f"metadata/{kind}.json"
    honest = put(served, name, (served / name.replace("2", "1")).read_bytes())

    follower.refuses(Alarm.BAD_SIGNATURE, may_keep=NEWLY_SIGNED[:2])

    put(served, name, honest)
    assert follower.look().hub.min_version == 2


@pytest.mark.parametrize("name", ["metadata/2.root.json", TIMESTAMP, "metadata/2.targets.json"])
def test_a_file_without_end_is_refused(follower, partner, server, name):
    follower.look()
    partner.rotate()
    server.endless.add(name)

    follower.refuses(
        Alarm.TOO_LARGE,
        may_keep=(*NEWLY_SIGNED, "metadata/root.json", "metadata/root_history/2.root.json")
        if "targets" in name
        else ("metadata/root.json", "metadata/root_history/2.root.json")
        if "timestamp" in name
        else (),
    )

    server.endless.clear()
    assert follower.look().root_version == 2


def test_an_endless_hub_file_is_refused(follower, partner, server):
    follower.look()
    partner.publish(min_version=2)
    server.endless.add(partner.target_name())

    follower.refuses(Alarm.TOO_LARGE, may_keep=NEWLY_SIGNED)

    server.endless.clear()
    assert follower.look().hub.min_version == 2


def test_a_timestamp_longer_than_it_may_be_is_refused(follower, served):
    follower.look()
    honest = put(served, TIMESTAMP, b" " * 20_000 + (served / TIMESTAMP).read_bytes())

    follower.refuses(Alarm.TOO_LARGE)

    put(served, TIMESTAMP, honest)
    assert follower.look().root_version == 1


def shown(partner, data, version=7):
    """What a partner shows that signs whatever it likes, its own tools notwithstanding."""
    keys = online(partner.first)
    files = {"hub.json": data} if isinstance(data, bytes) else data
    targets = metadata.write_targets(files, version, keys.targets, NOW)
    snapshot = metadata.write_snapshot(targets, version, keys.snapshot, NOW)
    timestamp = metadata.write_timestamp(snapshot, version, keys.timestamp, NOW)
    for name, held in files.items():
        partner.files.write(f"targets/{hashlib.sha256(held).hexdigest()}.{name}", held)
    partner.files.write(f"metadata/{version}.targets.json", targets)
    partner.files.write(f"metadata/{version}.snapshot.json", snapshot)
    partner.files.write(TIMESTAMP, timestamp)


WEAK = b"\1" + bytes(31)


@pytest.mark.parametrize(
    ("make", "alarm"),
    [
        (lambda hub: hub.replace(signer(61).public.raw.hex().encode(), WEAK.hex().encode()), None),
        (lambda hub: hub.replace(signer(70).public.raw.hex().encode(), WEAK.hex().encode()), None),
        (lambda hub: hub + b"\n", Alarm.NON_CANONICAL),
        (lambda hub: hub.replace(b'"v":1', b'"v":2'), None),
        (lambda _hub: b"{}", None),
        (lambda _hub: b"\xff", None),
        (lambda _hub: {"hub.jsom": b"{}"}, None),
        (lambda hub: hub.replace(b"hub-a.example", b"hub-b.example"), Alarm.WRONG_ORIGIN),
        (lambda _hub: b" " * (MAX_FILE + 1), Alarm.TOO_LARGE),
    ],
)
def test_a_file_that_is_signed_and_wrong_is_refused(follower, partner, make, alarm):
    follower.look()
    shown(partner, make(write(partner.hub)))

    follower.refuses(alarm or Alarm.MALFORMED, may_keep=NEWLY_SIGNED)

    shown(partner, write(hub_file(min_version=2)), version=8)
    assert follower.look().hub.min_version == 2


def rekeyed(root, change, version=2):
    """A root whose keys were changed, rightly signed by its keepers."""
    said = json.loads(root)["signed"]
    change(said)
    return signed_root({**said, "version": version}, (1, 2))


def weakened(said):
    next(iter(said["keys"].values()))["keyval"]["public"] = WEAK.hex()


def doubled(said):
    one = said["roles"]["root"]["keyids"][0]
    said["keys"]["0" * 64] = {**said["keys"][one], "keyval": dict(said["keys"][one]["keyval"])}
    said["roles"]["root"]["keyids"].append("0" * 64)


def foreign(said):
    said["keys"]["0" * 64] = {
        "keytype": "rsa",
        "scheme": "rsassa-pss-sha256",
        "keyval": {"public": "text"},
    }


def of_another_kind(said):
    said["keys"]["0" * 64] = {
        "keytype": "ecdsa",
        "scheme": "ecdsa-sha2-nistp256",
        "keyval": {"public": signer(9).public.raw.hex()},
    }


@pytest.mark.parametrize("change", [weakened, doubled, foreign, of_another_kind])
def test_a_root_with_a_key_that_is_not_fit_is_refused(follower, served, change):
    follower.look()
    first = (served / "metadata/1.root.json").read_bytes()
    (served / "metadata/2.root.json").write_bytes(rekeyed(first, change))

    follower.refuses(Alarm.MALFORMED)

    (served / "metadata/2.root.json").unlink()
    assert follower.look().root_version == 1


@pytest.mark.parametrize("change", [weakened, doubled, foreign])
def test_not_even_the_root_of_a_pairing_string_may_name_one(
    follower, served, server, state, change
):
    name = "metadata/1.root.json"
    root = rekeyed((served / name).read_bytes(), change, version=1)
    put(served, name, root)
    follower.pairing = replace(follower.pairing, root_sha256=hashlib.sha256(root).hexdigest())

    follower.refuses(Alarm.MALFORMED)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 10_000])
@pytest.mark.parametrize("name", [TIMESTAMP, "metadata/2.root.json"])
def test_bytes_that_are_no_metadata_are_refused(follower, served, name, data):
    follower.look()
    before = (served / name).read_bytes() if (served / name).exists() else None
    (served / name).write_bytes(data)

    follower.refuses(Alarm.MALFORMED)

    if before is None:
        (served / name).unlink()
    else:
        put(served, name, before)
    assert follower.look().root_version == 1


def test_a_partner_that_does_not_answer_is_asked_again_later(follower, server, state):
    follower.look()
    before = contents(state)
    server.broken = True

    with pytest.raises(TransportError):
        follower.look()
    assert contents(state) == before

    server.broken = False
    assert follower.look().root_version == 1


@pytest.mark.parametrize("name", ["metadata/1.root.json", TIMESTAMP, "metadata/1.targets.json"])
def test_a_file_that_is_not_there_is_asked_for_again_later(follower, served, name):
    held = (served / name).read_bytes()
    (served / name).unlink()

    with pytest.raises(TransportError):
        follower.look()

    (served / name).write_bytes(held)
    assert follower.look().root_version == 1


def test_a_state_that_was_spoilt_is_learnt_anew(follower, state):
    follower.look()
    for path in state.rglob("*.json"):
        if not path.is_symlink():
            path.write_bytes(b"spoilt")

    assert follower.look() == Followed(hub_file(), 1)


def test_a_key_that_ended_is_known_to_have_ended(follower, partner):
    follower.look()
    key = partner.hub.op_keys[1]
    successor = OpKey(f"{HUB}#op-62", signer(62).public, 3, 9, None)
    partner.publish(op_keys=(partner.hub.op_keys[0], replace(key, until=9), successor))

    hub = follower.look().hub

    assert hub.epoch == 3
    assert hub.op_key(key.id) == replace(key, until=9)
    assert not hub.op_keys[1].holds_at(9)
    assert isinstance(hub.op_keys[2].public, PublicKey)


def test_a_thief_of_one_root_key_makes_no_root(partner):
    partner.begin()

    with pytest.raises(MissingKeyError):
        partner.rotate(signing=(1, 4, 5), roots=(4, 5, 6))
    assert repository.newest_root(partner.files) == partner.held("metadata/1.root.json")
