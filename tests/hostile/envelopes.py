# SPDX-License-Identifier: Apache-2.0
"""Group A: envelopes, signatures and keys that are not what they should be."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from securesystemslib.formats import encode_canonical

from federation.errors import Alarm
from federation.identity.tuf_keys import tuf_key
from federation.log.notes import Note, Signature
from federation.operations.envelopes import MEDIA_TYPE
from federation.operations.payloads import write
from tests.hostile.behaviours import Behaviour, Change, Group, State
from tests.hostile.making import (
    EVIL,
    changed,
    envelope,
    loosely,
    payload,
    rightly,
    saying,
    signed_by,
)
from tests.hostile.peer import (
    FIRST,
    REQUESTS,
    Peer,
    envelope_of,
    op_key,
    written_file,
)
from tests.simulators.partner import KEY, LOG, OP, THIEF
from tests.support.signing import signer

OPS, ROOT, FILE, PAGE = (
    "`GET /ops`: an operation's DSSE envelope",
    "`GET /tuf/metadata/<n>.root.json`",
    "`GET /tuf/targets/<sha256>.hub.json`",
    "`GET /ops`: the page's checkpoint",
)

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of Ed25519's group: RFC 8032, section 5.1."""
SMALL = bytes(31) + b"\x80"
"""A public key of small order, under which one signature fits many messages."""


# -- the envelope --------------------------------------------------------------------------------


def _without_signatures(peer: Peer) -> None:
    payload = write(EVIL).payload
    told = envelope(payload)
    del told["signatures"]
    peer.put(told, payload)


def _with_sig(change: Callable[[str], Any]) -> Change:
    """A peer whose true signature is written otherwise."""

    def attack(peer: Peer) -> None:
        told = envelope_of(EVIL)
        told["signatures"][0]["sig"] = change(told["signatures"][0]["sig"])
        peer.put(told, write(EVIL).payload)

    return attack


def _loose_payload(peer: Peer) -> None:
    data = payload("body.words.list", "to be padded.")
    told = envelope(data, rightly(data))
    told["payload"] = loosely(told["payload"])
    peer.put(told, data)


def _unsigned_note(peer: Peer) -> None:
    peer.say(EVIL)
    text = Note.parse(peer.log.note()).text
    peer.page = lambda page, _: changed(page, checkpoint=text.decode())


def _reserialised(peer: Peer) -> None:
    payload = write(EVIL).payload
    spaced = json.dumps(json.loads(payload), indent=1).encode()
    peer.put(envelope(payload, rightly(spaced)), payload)


def _flipped(payload: bytes, place: int) -> bytes:
    data = bytearray(payload)
    data[place] ^= 1
    return bytes(data)


def _flipped_payload(peer: Peer) -> None:
    payload = write(EVIL).payload
    other = payload.replace(b'"kind":"platform"', b'"kind":"platforl"')
    assert other != payload
    peer.put(envelope(other, rightly(payload)), other)


def _second_s(signature: bytes) -> bytes:
    """The same signature with another S: S + L verifies wherever S is not checked."""
    more = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + more.to_bytes(32, "little")


def _note_with_second_s(peer: Peer) -> None:
    peer.say(EVIL)
    note = Note.parse(peer.log.note())
    first = note.signatures[0]
    lines = (Signature(first.name, first.key_id, _second_s(first.payload)), *note.signatures[1:])
    told = Note(note.text, lines).encoded().decode()
    peer.page = lambda page, _: changed(page, checkpoint=told)


def _with_junk(peer: Peer) -> None:
    payload = write(EVIL).payload
    junk = [(f"junk-{number}", bytes([number]) * 64) for number in range(7)]
    peer.put(envelope(payload, *junk[:3], rightly(payload), *junk[3:]), payload)


def _note_with_junk(peer: Peer) -> None:
    peer.say(EVIL)
    note = Note.parse(peer.log.note())
    junk = [Signature(f"junk-{number}.example", b"junk", bytes(64)) for number in range(20)]
    told = Note(note.text, (*junk, *note.signatures)).encoded().decode()
    peer.page = lambda page, _: changed(page, checkpoint=told)


# -- keys of operations --------------------------------------------------------------------------


def rotated(epoch: int = 1, *, until: int | None = 4, first: int = 4) -> Change:
    """A peer that says honestly that its key ended, and another began."""
    keys = (op_key(1, until=until), op_key(2, epoch=epoch, first=first))
    return lambda peer: peer.publish(op_keys=keys)


def show(peer: Peer, data: bytes, version: int = 2) -> None:
    """Show any bytes as ``hub.json``: each above it is signed anew."""
    held = peer.files.held
    digest = sha(data)
    targets = {"length": len(data), "hashes": {"sha256": digest}}
    held[f"targets/{digest}.hub.json"] = data
    restated(peer, "targets", version, {"targets": {"hub.json": targets}})


def restated(peer: Peer, kind: str, version: int, members: dict[str, Any], by: int = 0) -> None:
    """Other metadata of one kind, and all above it to match; signed by its key, or by another."""
    held, place = peer.files.held, ("targets", "snapshot", "timestamp").index(kind)
    name = "metadata/timestamp.json" if kind == "timestamp" else f"metadata/{version}.{kind}.json"
    before = "metadata/timestamp.json" if kind == "timestamp" else f"metadata/1.{kind}.json"
    said_before = json.loads(held[before])["signed"]
    held[name] = tuf_signed(
        {**said_before, "version": version, **members}, by or peer.first + place
    )
    if kind == "targets":
        restated(peer, "snapshot", version, {"meta": {"targets.json": meta(held[name], version)}})
    elif kind == "snapshot":
        told = {"snapshot.json": meta(held[name], version)}
        restated(peer, "timestamp", version, {"meta": told})


def meta(data: bytes, version: int) -> dict[str, Any]:
    """What TUF's metadata says of other metadata."""
    return {"version": version, "length": len(data), "hashes": {"sha256": sha(data)}}


def sha(data: bytes) -> str:
    """A hash, in hex."""
    return sha256(data).hexdigest()


def tuf_signed(told: dict[str, Any], *numbers: int, ids: tuple[str, ...] = ()) -> bytes:
    """TUF metadata of any content, signed by keys of some numbers."""
    payload = (encode_canonical(told) or "").encode()
    names = ids or tuple(tuf_key(signer(one).public).keyid for one in numbers)
    signatures = [
        {"keyid": name, "sig": signer(one).sign(payload).hex()}
        for name, one in zip(names, numbers, strict=True)
    ]
    return json.dumps({"signatures": signatures, "signed": told}).encode()


# -- roots ---------------------------------------------------------------------------------------


def second_root(
    *numbers: int, change: Any = None, ids: tuple[str, ...] = (), version: int = 2
) -> Change:
    """A peer that shows another root after its first: any, signed by any."""

    def attack(peer: Peer) -> None:
        told = json.loads(peer.root(1))["signed"] | {"version": version}
        if change is not None:
            change(told)
        peer.files.held["metadata/2.root.json"] = tuf_signed(told, *numbers, ids=ids)

    return attack


def _twice(told: dict[str, Any]) -> None:
    """One key under two ids, both of which count as roots."""
    first = told["roles"]["root"]["keyids"][0]
    told["keys"]["0" * 64] = told["keys"][first]
    told["roles"]["root"]["keyids"].append("0" * 64)


def _threshold(told: dict[str, Any]) -> None:
    told["roles"]["root"]["threshold"] = 1


def _no_algorithm(told: dict[str, Any]) -> None:
    name = told["roles"]["targets"]["keyids"][0]
    told["keys"][name]["scheme"] = "none"


def _doubled(peer: Peer) -> None:
    told = json.loads(peer.root(1))["signed"] | {"version": 2}
    name = told["roles"]["root"]["keyids"][0]
    number = next(one for one in (101, 102, 103) if _id_of(one) == name)
    peer.files.held["metadata/2.root.json"] = tuf_signed(told, number, number)


def _id_of(number: int) -> str:
    return tuf_key(signer(number).public).keyid


def _small_key(peer: Peer) -> None:
    weak = written_file().replace(OP.public.raw.hex().encode(), SMALL.hex().encode())
    show(peer, weak)


def shown_right(peer: Peer) -> None:
    """What was rightly signed stays behind: the peer goes on from there."""
    show(peer, written_file(), 3)


def _wrong_role(peer: Peer) -> None:
    restated(peer, "timestamp", 2, {}, by=FIRST)


def renewed(epoch: int = 1) -> Change:
    """After its first key has ended, the peer speaks by its second."""

    def change(peer: Peer) -> None:
        peer.voice, peer.epoch = (signer(132), "op-2"), epoch

    return change


SAME = State.SAME
_TRUE = rightly(write(EVIL).payload)
GROUP = Group(
    "A",
    "Envelope and signature",
    20,
    (
        Behaviour("A1", "unsigned", OPS, Alarm.MALFORMED, _without_signatures),
        Behaviour("A1.null", "a signature that is null", OPS, Alarm.MALFORMED,
                  _with_sig(lambda _: None)),
        Behaviour("A1.note", "unsigned checkpoint", PAGE, Alarm.UNSIGNED, _unsigned_note,
                  state=SAME),
        Behaviour("A2", "empty list of signatures", OPS, Alarm.UNSIGNED, saying()),
        Behaviour("A3", "wrong key, under the right one's id", OPS, Alarm.BAD_SIGNATURE,
                  signed_by(THIEF)),
        Behaviour("A3.unknown", "wrong key, under its own id", OPS, Alarm.UNKNOWN_KEY,
                  signed_by(THIEF, "thief-1")),
        Behaviour("A4", "revoked key: another epoch has begun", OPS, Alarm.RETIRED_KEY,
                  signed_by(OP), before=rotated(2), mended=renewed(2)),
        Behaviour("A4.epoch", "the new key under the old epoch", OPS, Alarm.RETIRED_KEY,
                  signed_by(signer(132), "op-2"), before=rotated(2), mended=renewed(2)),
        Behaviour("A5", "expired key: it ended in the ordinary way", OPS, Alarm.RETIRED_KEY,
                  signed_by(OP), before=rotated(), mended=renewed()),
        Behaviour("A6", "key that is not valid yet at that index", OPS, Alarm.RETIRED_KEY,
                  signed_by(signer(132), "op-2"), before=rotated(until=None, first=100)),
        Behaviour("A7", "key of another role: the one for requests", OPS, Alarm.UNKNOWN_KEY,
                  signed_by(REQUESTS.signer, REQUESTS.key_id)),
        Behaviour("A7.log", "key of another role: the log's, under the right id", OPS,
                  Alarm.BAD_SIGNATURE, signed_by(LOG)),
        Behaviour("A7.tuf", "timestamp signed by the key for targets",
                  "`GET /tuf/metadata/timestamp.json`", Alarm.BAD_SIGNATURE, _wrong_role,
                  state=SAME),
        Behaviour("A8", "key of another hub", OPS, Alarm.UNKNOWN_KEY,
                  signed_by(signer(90), "hub-c.example#op-1")),
        Behaviour("A9", "signature over JSON that was written anew", OPS, Alarm.BAD_SIGNATURE,
                  _reserialised),
        Behaviour("A9.payload", "the same, and the payload is that", OPS, Alarm.NON_CANONICAL,
                  saying(rightly(json.dumps(json.loads(write(EVIL).payload)).encode()),
                         payload=json.dumps(json.loads(write(EVIL).payload)).encode())),
        Behaviour("A10", "one bit flipped in the payload", OPS, Alarm.BAD_SIGNATURE,
                  _flipped_payload),
        Behaviour("A10.base64", "the payload in base64 that could be written otherwise", OPS,
                  Alarm.NON_CANONICAL, _loose_payload),
        Behaviour("A11", "one bit flipped in the signature", OPS, Alarm.BAD_SIGNATURE,
                  saying((KEY, _flipped(_TRUE[1], 20)))),
        Behaviour("A11.base64", "the signature in base64 that could be written otherwise", OPS,
                  Alarm.NON_CANONICAL, _with_sig(loosely)),
        Behaviour("A12", "one bit flipped in the payload's type", OPS, Alarm.MALFORMED,
                  saying(_TRUE, kind=MEDIA_TYPE.replace("op", "oq"))),
        Behaviour("A13", "one root key signs twice, to count twice", ROOT, Alarm.MALFORMED,
                  _doubled, state=SAME),
        Behaviour("A14", "one root key under two ids", ROOT, Alarm.MALFORMED,
                  second_root(101, 102, change=_twice), state=SAME),
        Behaviour("A15", "threshold not met", ROOT, Alarm.BAD_SIGNATURE, second_root(101),
                  state=SAME),
        Behaviour("A16", "threshold lowered by a thief's own root", ROOT, Alarm.BAD_SIGNATURE,
                  second_root(101, change=_threshold), state=SAME),
        Behaviour("A17", "public key of small order", FILE, Alarm.MALFORMED, _small_key,
                  mended=shown_right, state=SAME),
        Behaviour("A18", "S that is not canonical", OPS, Alarm.BAD_SIGNATURE,
                  saying((KEY, _second_s(_TRUE[1])))),
        Behaviour("A18.note", "S that is not canonical, under the checkpoint", PAGE,
                  Alarm.BAD_SIGNATURE, _note_with_second_s, state=SAME),
        Behaviour("A19", 'algorithm of a key is "none"', ROOT, Alarm.MALFORMED,
                  second_root(101, 102, change=_no_algorithm), state=SAME),
        Behaviour("A20", "10,000 signatures in one envelope", OPS, Alarm.MALFORMED,
                  saying(_TRUE, *((f"k{number}", bytes(64)) for number in range(9_999))),
                  wire="the one true signature, then 9,999 of keys k0 to k9998, all zeros"),
        Behaviour("A21", "valid signature and junk ones", OPS, None, _with_junk,
                  state=State.ACCEPTED),
        Behaviour("A21.note", "valid signatures and junk ones under the checkpoint", PAGE, None,
                  _note_with_junk, state=State.ACCEPTED),
        Behaviour("A22", "a new key that its roots name, and an operation under it", OPS, None,
                  lambda peer: peer.put(
                      envelope_of(EVIL, signer(132), "op-2"), write(EVIL).payload),
                  before=rotated(), mended=renewed(),
                  state=State.ACCEPTED),
    ),
)  # fmt: skip
