# SPDX-License-Identifier: Apache-2.0
"""Whatever a partner signs and shows, its follower hears of it in this library's words."""

import json
import time
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from securesystemslib.formats import encode_canonical

from federation.errors import Alarm, RefusedError, TransportError
from federation.identity.client import MAX_FILE, follow
from federation.identity.tuf_keys import tuf_key
from tests.simulators.identities import hub_file
from tests.support.repositories import MemoryFiles, Partner
from tests.support.signing import signer

NOW = int(time.time())  # TUF's client has no other clock
NAMES = {
    "root": "metadata/2.root.json",
    "targets": "metadata/2.targets.json",
    "snapshot": "metadata/2.snapshot.json",
    "timestamp": "metadata/timestamp.json",
}
KEYS = {"root": (1, 2, 4), "targets": (20,), "snapshot": (21,), "timestamp": (22,)}
TEXTS = ["", "../..", "é", "\ud800", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, -1, 2**70, 1.5, [], {}, [None], {"": {}}, *TEXTS]
)


@pytest.fixture(scope="module")
def shown():
    """A partner that has replaced its keys once: what it shows, and how to follow it."""
    files = MemoryFiles()
    partner = Partner(files, NOW)
    pairing = partner.begin()
    partner.rotate()
    return pairing, files.held


def signed(said, kind):
    """Signed by all who may, as far as it can be written down at all."""
    try:
        payload = (encode_canonical(said) or "").encode()
    except Exception:  # noqa: BLE001  # then no signature is right, and some still are there
        payload = b""
    signatures = [
        {"keyid": tuf_key(signer(one).public).keyid, "sig": signer(one).sign(payload).hex()}
        for one in KEYS[kind]
    ]
    return json.dumps({"signatures": signatures, "signed": said}).encode()


def places(said, way=()):
    """Every place in a value, as the steps that lead to it."""
    steps = said if isinstance(said, dict) else range(len(said)) if isinstance(said, list) else ()
    for step in steps:
        yield (*way, step)
        yield from places(said[step], (*way, step))


def altered(said, way, value):
    place = said
    for step in way[:-1]:
        place = place[step]
    if value is ...:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return said


def named(held, kind, lower):
    """What names another kind of metadata, signed anew to name what it now is."""
    said, data = json.loads(held[NAMES[kind]])["signed"], held[NAMES[lower]]
    meta = {"version": 2, "length": len(data), "hashes": {"sha256": sha256(data).hexdigest()}}
    return signed({**said, "meta": {f"{lower}.json": meta}}, kind)


def rebuilt(held, said, kind="targets"):
    """The partner's files with other metadata of one kind, and all above it to match."""
    files = MemoryFiles()
    files.held = {**held, NAMES[kind]: signed(said, kind)}
    if kind == "targets":
        files.held[NAMES["snapshot"]] = named(files.held, "snapshot", "targets")
    if kind in {"targets", "snapshot"}:
        files.held[NAMES["timestamp"]] = named(files.held, "timestamp", "snapshot")
    return files


@settings(deadline=None)
@given(st.sampled_from(sorted(NAMES)), STRANGE | st.just(...), st.data())
def test_a_partner_that_signs_anything_at_all_is_refused_or_followed(
    shown, tmp_path_factory, kind, value, data
):
    pairing, honest = shown
    said = json.loads(honest[NAMES[kind]])["signed"]
    way = data.draw(st.sampled_from(list(places(said))))
    files = rebuilt(honest, altered(said, way, value), kind)

    try:
        followed = follow(pairing, files.fetch, tmp_path_factory.mktemp("state"))
    except (RefusedError, TransportError):
        return
    assert followed.hub == hub_file()


def test_what_stands_in_the_way_is_told_as_it_was(shown, tmp_path):
    pairing, _ = shown

    def fetch(_path, _max_bytes):
        raise RefusedError(Alarm.TRANSPORT, "a redirect")

    with pytest.raises(RefusedError) as refused:
        follow(pairing, fetch, tmp_path)
    assert refused.value.alarm == Alarm.TRANSPORT


def test_what_stands_in_the_way_later_is_told_as_it_was(shown, tmp_path):
    pairing, held = shown

    def fetch(path, _max_bytes):
        if path.endswith("timestamp.json"):
            raise TransportError("not now", retry_after=7)
        return held.get(path.removeprefix("/tuf/"))

    with pytest.raises(TransportError) as raised:
        follow(pairing, fetch, tmp_path)
    assert raised.value.retry_after == 7
    assert raised.value.__cause__ is None


def test_a_fault_of_our_own_is_no_word_of_the_partner(shown, tmp_path):
    pairing, held = shown

    def fetch(path, _max_bytes):
        if path.endswith("timestamp.json"):
            raise ZeroDivisionError
        return held.get(path.removeprefix("/tuf/"))

    with pytest.raises(ZeroDivisionError):
        follow(pairing, fetch, tmp_path)


HASH = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("told", "alarm"),
    [
        ({"length": MAX_FILE + 1, "hashes": HASH}, Alarm.TOO_LARGE),
        ({"length": 9, "hashes": {"sha256": "../../log/checkpoint?"}}, Alarm.MALFORMED),
        ({"length": 9, "hashes": {"sha256": "A" * 64}}, Alarm.MALFORMED),
        ({"length": 9, "hashes": {"sha512": "0" * 128}}, Alarm.MALFORMED),
        ({"length": 9, "hashes": {"md5": "0" * 32, **HASH}}, Alarm.MALFORMED),
    ],
)
def test_what_could_not_be_the_file_is_not_asked_for(shown, tmp_path, told, alarm):
    pairing, held = shown
    said = json.loads(held[NAMES["targets"]])["signed"]
    files, asked = rebuilt(held, {**said, "targets": {"hub.json": told}}), []

    def fetch(path, max_bytes):
        asked.append(path)
        return files.fetch(path, max_bytes)

    with pytest.raises(RefusedError) as refused:
        follow(pairing, fetch, tmp_path)
    assert refused.value.alarm == alarm
    assert not [path for path in asked if path.startswith("/tuf/targets/")]


def test_nobody_else_speaks_for_the_targets(shown, tmp_path):
    pairing, held = shown
    said = json.loads(held[NAMES["targets"]])["signed"]
    thief = tuf_key(signer(99).public)
    role = {
        "name": "thief",
        "keyids": [thief.keyid],
        "threshold": 1,
        "terminating": True,
        "paths": ["*"],
    }
    delegations = {"keys": {thief.keyid: thief.to_dict()}, "roles": [role]}
    files = rebuilt(held, {**said, "targets": {}, "delegations": delegations})
    snapshot = json.loads(files.held[NAMES["snapshot"]])["signed"]
    snapshot["meta"]["thief.json"] = {"version": 1}
    files, asked = rebuilt(files.held, snapshot, "snapshot"), []

    def fetch(path, max_bytes):
        asked.append(path)
        return files.fetch(path, max_bytes)

    with pytest.raises(RefusedError) as refused:
        follow(pairing, fetch, tmp_path)
    assert refused.value.alarm == Alarm.MALFORMED
    assert not [path for path in asked if "thief" in path]
