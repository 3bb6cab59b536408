# SPDX-License-Identifier: Apache-2.0
"""A signature is of the bytes as they came, by the key that was asked for."""

import base64
import random

import pytest

from federation.errors import Alarm, RefusedError
from federation.keys import MemorySigner
from federation.operations.envelopes import MAX_SIGNATURES, opened, sealed, verified
from federation.operations.payloads import write
from tests.simulators.statements import operation

SIGNER, OTHER = MemorySigner(b"a" * 32), MemorySigner(b"b" * 32)
PAYLOAD = write(operation()).payload
MUTATIONS = 2_000


def enveloped():
    return sealed(PAYLOAD, SIGNER, "op-1").told


def test_what_was_signed_is_what_is_read():
    kept = verified(opened(enveloped()), SIGNER.public, "op-1")

    assert kept == sealed(PAYLOAD, SIGNER, "op-1")


def test_junk_beside_a_good_signature_is_of_no_matter():
    said = enveloped()
    said["signatures"].insert(0, sealed(PAYLOAD, OTHER, "other").told["signatures"][0])

    verified(opened(said), SIGNER.public, "op-1")


def test_the_same_envelope_can_be_opened_twice():
    said = enveloped()
    opened(said)

    verified(opened(said), SIGNER.public, "op-1")


@pytest.mark.parametrize(
    ("change", "alarm"),
    [
        ({"signatures": []}, Alarm.UNSIGNED),
        (
            {"signatures": [{"keyid": "op-1", "sig": "AAAA"}] * (MAX_SIGNATURES + 1)},
            Alarm.MALFORMED,
        ),
        ({"signatures": [{"keyid": "op-1"}]}, Alarm.MALFORMED),
        ({"signatures": ["op-1"]}, Alarm.MALFORMED),
        ({"signatures": [{"keyid": "op-1", "sig": "AAAA"}]}, Alarm.BAD_SIGNATURE),
        ({"signatures": {}}, Alarm.MALFORMED),
        ({"payloadType": "application/json"}, Alarm.MALFORMED),
        ({"payload": 7}, Alarm.MALFORMED),
        ({"payload": "A" * 800_000}, Alarm.TOO_LARGE),
        ({"alg": "none"}, Alarm.MALFORMED),
        ({"payload": base64.b64encode(PAYLOAD + b" ").decode()}, Alarm.BAD_SIGNATURE),
    ],
)
def test_anything_else_is_refused(change, alarm):
    with pytest.raises(RefusedError) as refused:
        verified(opened(enveloped() | change), SIGNER.public, "op-1")

    assert refused.value.alarm == alarm


def loosely(text):
    """Base64 with a bit set that says nothing."""
    body = text.rstrip("=")
    return body[:-1] + chr(ord(body[-1]) + 1) + text[len(body) :]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["signatures"][0].update(sig=loosely(one["signatures"][0]["sig"])),
        lambda one: one["signatures"][0].update(
            sig=base64.urlsafe_b64encode(b"\xff" * 64).decode()
        ),
        lambda one: one.update(payload=loosely(base64.b64encode(PAYLOAD[:-1]).decode())),
    ],
)
def test_base64_has_one_writing(change):
    said = enveloped()
    change(said)
    assert said != enveloped()

    with pytest.raises(RefusedError) as refused:
        opened(said)

    assert refused.value.alarm is Alarm.NON_CANONICAL


@pytest.mark.parametrize("more", [{"cert": "AAAA"}, {"keyid": 7}, {"sig": None}])
def test_a_signature_has_two_members(more):
    said = enveloped()
    said["signatures"][0] |= more

    with pytest.raises(RefusedError) as refused:
        opened(said)

    assert refused.value.alarm is Alarm.MALFORMED


@pytest.mark.parametrize("key_id", ["op-1", "op-2"])
def test_another_key_did_not_sign(key_id):
    with pytest.raises(RefusedError, match="bad-signature"):
        verified(opened(enveloped()), OTHER.public, key_id)


def test_the_same_key_under_another_name_did_not_sign():
    with pytest.raises(RefusedError, match="bad-signature"):
        verified(opened(enveloped()), SIGNER.public, "op-2")


def test_no_changed_bit_is_accepted():
    chance = random.Random(4)  # noqa: S311 - a test that fails must fail again
    for _ in range(MUTATIONS):
        said = enveloped()
        raw = bytearray(base64.b64decode(said["payload"]))
        signature = bytearray(base64.b64decode(said["signatures"][0]["sig"]))
        target = chance.choice([raw, signature])
        target[chance.randrange(len(target))] ^= 1 << chance.randrange(8)
        said["payload"] = base64.b64encode(raw).decode()
        said["signatures"][0]["sig"] = base64.b64encode(signature).decode()

        with pytest.raises(RefusedError):
            verified(opened(said), SIGNER.public, "op-1")
