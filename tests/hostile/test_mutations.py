# SPDX-License-Identifier: Apache-2.0
"""Of signed messages that were altered at random, none is accepted that says something else.

``SIGNATURE_MUTATIONS=100000`` makes it as many for each kind; of TUF's four kinds together a
fifth, since each takes a whole client. Requests have the same test in
``tests/unit/federation/transport``.
"""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tuf.api.metadata import Metadata

from federation.errors import RefusedError, TransportError
from federation.identity import repository
from federation.identity.client import follow
from federation.log.checkpoints import opened as opened_checkpoint
from federation.log.cosignatures import Cosigner, times
from federation.log.notes import Note
from federation.log.verifiers import Verifier
from federation.operations.envelopes import MEDIA_TYPE, opened, verified
from federation.operations.payloads import write
from federation.transport.messages import Request, Response
from federation.transport.signatures import (
    Signing,
    signed_request,
    signed_response,
    verify_response,
)
from tests.hostile.contract import NOW, today
from tests.hostile.peer import (
    LOG_ORIGIN,
    REQUESTS,
    Peer,
    disagreed,
    envelope_of,
    honest,
    hub_file,
    online,
    roles,
    said,
    target,
)
from tests.simulators.partner import BEAT, KEY, LOG, OP, THIEF
from tests.simulators.statements import ORIGIN
from tests.support.signing import signer

MUTATIONS = int(os.environ.get("SIGNATURE_MUTATIONS", "2000"))
OF_TUF = MUTATIONS // 5


@pytest.fixture
def chance():
    return Random(9421)  # noqa: S311 - a test that fails must fail again


def altered(data: bytes, others: list[bytes], chance: Random) -> bytes:
    """Bytes that differ in one place, or in two; or a piece of other signed bytes among them."""
    for _ in range(chance.choice((1, 1, 1, 2))):
        data = chance.choice(CHANGES)(data, chance.choice(others), chance)
    return data


def _flipped(data: bytes, _: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _replaced(data: bytes, other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.choice(other)]) + data[at + 1 :]


def _inserted(data: bytes, other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.choice(other)]) + data[at:]


def _cut(data: bytes, _: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 1, 1, 8, 64)) :] or b" "


def _doubled(data: bytes, _: bytes, chance: Random) -> bytes:
    at, length = chance.randrange(len(data)), chance.choice((1, 4, 32, 256))
    return data[: at + length] + data[at:]


def _spliced(data: bytes, other: bytes, chance: Random) -> bytes:
    at = chance.randrange(min(len(data), len(other)))
    return data[:at] + other[at:]


def _swapped(data: bytes, _: bytes, chance: Random) -> bytes:
    first, second = sorted(chance.choices(range(len(data)), k=2))
    return data[:first] + data[second:] + data[first:second]


Alter = Callable[[bytes, bytes, Random], bytes]
CHANGES: tuple[Alter, ...] = (
    _flipped, _replaced, _inserted, _cut, _doubled, _spliced, _swapped
)  # fmt: skip


# -- operations ----------------------------------------------------------------------------------


def as_it_came(told: dict[str, Any], others: list[Any], chance: Random) -> Any:
    """The envelope's text, altered."""
    text = altered(_text(told), [_text(one) for one in others], chance)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def inside(told: dict[str, Any], others: list[Any], chance: Random) -> Any:
    """One of the things in an envelope, altered, and the rest as it was."""
    other = chance.choice(others)
    made = json.loads(_text(told))
    what = chance.choice(("payload", "payloadType", "keyid", "sig", "signatures", "other"))
    (mine,), (theirs,) = made["signatures"], other["signatures"]
    if what == "payload":
        made[what] = _recoded(made[what], other[what], chance)
    elif what == "sig":
        mine[what] = _recoded(mine[what], theirs[what], chance)
    elif what == "payloadType":
        made[what] = altered(made[what].encode(), [b"application/json"], chance).decode("latin-1")
    elif what == "keyid":
        mine[what] = chance.choice((theirs[what], "op-2", "thief-1", "op-1 ", "OP-1", ""))
    elif what == "signatures":
        made[what] = chance.choice(([theirs], [theirs, mine], [mine, mine], [mine, theirs], []))
    else:
        made["signatures"] = other["signatures"]
    return made


def _recoded(text: str, other: str, chance: Random) -> str:
    data = altered(base64.b64decode(text), [base64.b64decode(other)], chance)
    return base64.b64encode(data).decode()


def _text(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()


@pytest.mark.parametrize("alter", [as_it_came, inside])
def test_no_altered_operation_is_accepted(chance, alter):
    said_here = [said(1), said(2), disagreed(3, target(1))]
    told = [envelope_of(one) for one in said_here]
    strange = [envelope_of(said(4), THIEF, "thief-1"), envelope_of(said(1), THIEF)]
    same = 0
    for turn in range(MUTATIONS):
        mine = turn % len(told)
        came = alter(told[mine], told + strange, chance)
        if not isinstance(came, dict):
            continue
        try:
            found = verified(opened(came), OP.public, KEY)
        except RefusedError:
            continue
        # It is what one of them says, said as an operation and by its key.
        assert found.payload in {write(one).payload for one in said_here}
        assert came["payloadType"] == MEDIA_TYPE
        assert found.key_id == KEY
        assert OP.public.verifies(found.signature, _pae(found.payload))
        same += 1
    assert same < MUTATIONS * 0.5


def _pae(payload: bytes) -> bytes:
    """What is signed: the type and the bytes, each after its length."""
    kind = MEDIA_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


# -- notes ---------------------------------------------------------------------------------------


def test_no_altered_checkpoint_is_accepted(chance):
    peer, before = honest(), honest()
    peer.say(said(5))
    notes = [peer.log.note(NOW), before.log.note(NOW), before.log.note(NOW + 7)]
    keys = [Verifier(LOG_ORIGIN, LOG.public)]
    beat = Cosigner(f"{ORIGIN}/beat", BEAT.public)
    known = {
        Note.parse(one).text: opened_checkpoint(Note.parse(one), LOG_ORIGIN, keys) for one in notes
    }
    said_at = {(Note.parse(one).text, times(Note.parse(one), [beat])[beat]) for one in notes}
    accepted = cosigned = 0
    for turn in range(MUTATIONS):
        came = altered(notes[turn % len(notes)], notes, chance)
        try:
            note = Note.parse(came)
            found = opened_checkpoint(note, LOG_ORIGIN, keys)
        except RefusedError:
            continue
        assert found == known[note.text]
        accepted += 1
        try:
            told = times(note, [beat])
        except RefusedError:
            continue
        for at in told.values():
            assert (note.text, at) in said_at
            cosigned += 1
    assert cosigned <= accepted < MUTATIONS * 0.6


def test_no_altered_cosignature_is_accepted(chance):
    """Alone, so that each alteration is of it: its time is signed as its text is."""
    peer = honest()
    beat = Cosigner(f"{ORIGIN}/beat", BEAT.public)
    notes = [Note.parse(peer.log.note(NOW + at)) for at in (0, 60, 120)]
    lines = [note.signatures[-1] for note in notes]
    for turn in range(MUTATIONS):
        line = lines[turn % 3]
        payload = altered(line.payload, [one.payload for one in lines], chance)
        note = Note(notes[0].text, (replace(line, payload=payload or b"-"),))
        try:
            told = times(note, [beat])
        except RefusedError:
            continue
        assert payload in {one.payload for one in lines}
        assert told[beat] in {NOW, NOW + 60, NOW + 120}


# -- identity ------------------------------------------------------------------------------------

KINDS = {
    "root": "metadata/2.root.json",
    "targets": "metadata/2.targets.json",
    "snapshot": "metadata/2.snapshot.json",
    "timestamp": "metadata/timestamp.json",
}


@pytest.fixture(scope="module")
def shown():
    """A peer that has replaced its root once and shows its second edition."""
    peer = Peer()
    repository.rotated(
        peer.files, roles(), root_signers=[signer(101), signer(102)], signers=online(), now=NOW
    )
    return peer


def test_no_altered_identity_is_accepted(shown, chance, tmp_path):
    held = shown.files.held
    everything = [held[name] for name in KINDS.values()]
    refused = 0
    for turn in range(OF_TUF):
        kind, name = list(KINDS.items())[turn % len(KINDS)]
        files = {**held, name: altered(held[name], everything, chance)}
        folder = tmp_path / str(turn % 50)
        _emptied(folder)
        try:
            with today(NOW):
                found = follow(shown.pairing, _fetching(files), folder)
        except (RefusedError, TransportError):
            refused += 1
            continue
        assert found.hub == hub_file()
        assert found.root_version == 2
        # TUF signs what is said, not the bytes: a space may differ, and nothing that is said.
        kept = Metadata.from_bytes((folder / "metadata" / f"{kind}.json").read_bytes())
        assert kept.signed == Metadata.from_bytes(held[name]).signed
    assert refused > OF_TUF * 0.5


def _fetching(files):
    return lambda path, _: files.get(path.removeprefix("/tuf/"))


def _emptied(folder):
    for path in folder.rglob("*"):
        if path.is_file() or path.is_symlink():
            path.unlink()


# -- answers -------------------------------------------------------------------------------------


def test_no_altered_answer_is_accepted(chance):
    ours = Signing("hub-b.example#req-1", signer(150))
    url = "https://hub-a.example/fed/v1/ops?from=4"
    asked = [
        signed_request(Request("GET", url + more), ours, created=NOW, nonce=letter * 22)
        for more, letter in (("", "a"), ("&size=9", "b"))
    ]
    plain = Response(200, (("Content-Type", "application/json"),), b'{"from":4,"next":4}')
    answers = [signed_response(plain, one, REQUESTS, created=NOW) for one in asked]
    for turn in range(MUTATIONS):
        mine = turn % 2
        came = _altered_answer(answers[mine], answers[1 - mine], chance)
        try:
            found = verify_response(
                came, asked[mine], {REQUESTS.key_id: REQUESTS.signer.public}.get, NOW
            )
        except RefusedError:
            continue
        assert found == REQUESTS.key_id
        assert (came.status, came.body) == (plain.status, plain.body)
        assert _value(came, "content-type") == "application/json"


def _altered_answer(answer: Response, other: Response, chance: Random) -> Response:
    what = chance.choice(("status", "body", "header", "header", "header", "names", "other"))
    if what == "status":
        return replace(answer, status=chance.choice((201, 204, 301, 304, 403, 404, 409, 500)))
    if what == "body":
        return replace(answer, body=altered(answer.body, [other.body], chance))
    at = chance.randrange(len(answer.headers))
    name, value = answer.headers[at]
    if what == "header":
        value = altered(value.encode(), [v.encode() for _, v in other.headers], chance).decode(
            "latin-1"
        )
    elif what == "names":
        name = chance.choice(("Content-Type", "X-Other", "content-digest", name.upper()))
    else:
        name, value = chance.choice(other.headers)
    lines = [*answer.headers]
    lines[at] = (name, value)
    return replace(answer, headers=tuple(lines))


def _value(answer: Response, name: str) -> str:
    return next(value for known, value in answer.headers if known.lower() == name)
