# SPDX-License-Identifier: Apache-2.0
"""What is signed is what is accepted, once, for a minute, from who is known: the profile."""

import os
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from federation.errors import Alarm, RefusedError
from federation.transport.claims import KEEP_NONCES, WINDOW
from federation.transport.memory import MemoryNonces
from federation.transport.messages import Request, Response
from federation.transport.signatures import (
    Signing,
    new_nonce,
    served_url,
    signed_request,
    signed_response,
    verified,
    verify_response,
)
from tests.support.signing import signer

NOW = 1_800_000_000
OURS, THEIRS = Signing("hub-a#1", signer(1)), Signing("hub-b#1", signer(2))
URL = "https://hub-b.example/fed/v1/ops?from=0&size=9"
MUTATIONS = int(os.environ.get("SIGNATURE_MUTATIONS", "2000"))
REPLAYS = int(os.environ.get("SIGNATURE_REPLAYS", "5"))  # at every second
CHANCE = random.Random(9421)  # noqa: S311  # a test that fails must fail again

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def keys(key_id):
    return {one.key_id: one.signer.public for one in (OURS, THEIRS)}.get(key_id)


def nonces():
    return MemoryNonces(lambda: NOW)


def nonce():
    return new_nonce(CHANCE.randbytes)


def get():
    return Request("GET", URL, (("Accept", "*/*"),))


def post(body=b'{"old":9}'):
    return Request("POST", URL, (("Content-Type", "application/json"),), body)


def signed(request, created=NOW, by=OURS):
    return signed_request(request, by, created=created, nonce=nonce())


def refusal(request, now=NOW, known=keys, memory=None):
    with pytest.raises(RefusedError) as refused:
        verified(request, known, memory or nonces(), now)
    return refused.value.alarm


def answered(request, status=200, body=b"ok", headers=(), created=NOW, by=THEIRS):
    response = Response(status, (("Content-Type", "text/plain"), *headers), body)
    return signed_response(response, request, by, created=created)


def answer_refusal(response, request, now=NOW):
    with pytest.raises(RefusedError) as refused:
        verify_response(response, request, keys, now)
    return refused.value.alarm


def header(message, name):
    return next(value for known, value in message.headers if known.lower() == name)


def with_header(message, name, value):
    """The same with a header replaced; None drops it."""
    lines = tuple(line for line in message.headers if line[0].lower() != name)
    return replace(message, headers=lines if value is None else (*lines, (name, value)))


# -- requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [get(), post(), post(b"")])
def test_an_honest_request_is_its_signers(request_):
    assert verified(signed(request_), keys, nonces(), NOW) == OURS.key_id


def test_a_request_says_what_the_profile_asks_for():
    words = header(signed(post()), "signature-input")

    covered = '("@method" "@authority" "@target-uri" "content-digest" "content-type")'
    assert words.startswith(f"breakwater={covered};")
    assert f";created={NOW};" in words
    assert f";expires={NOW + WINDOW};" in words
    assert words.endswith(';tag="breakwater/1"')


def signed_by_others(lasting):
    """A request as the library itself would sign it, in an order of its own."""
    lines: dict[str, str] = {}

    class Message:
        method, url, headers = "GET", URL, lines

    private = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    keyring = MappingKeyResolver(public_keys={}, private_keys={OURS.key_id: private})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keyring).sign(
        Message(),
        key_id=OURS.key_id,
        created=datetime.fromtimestamp(NOW, UTC),
        expires=datetime.fromtimestamp(NOW + lasting, UTC),
        nonce=nonce(),
        tag="breakwater/1",
        covered_component_ids=("@target-uri", "@authority", "@method"),
    )
    return Request("GET", URL, tuple(lines.items()))


def test_a_request_that_is_signed_anew_has_one_signature():
    memory = nonces()
    first = signed(get())
    second = signed(first)

    assert len(second.headers) == len(first.headers)
    assert verified(first, keys, memory, NOW) == verified(second, keys, memory, NOW)


def test_others_signatures_of_the_same_profile_are_taken():
    assert verified(signed_by_others(30), keys, nonces(), NOW) == OURS.key_id


def test_a_request_may_end_sooner_than_it_must():
    request = signed_by_others(30)

    assert verified(request, keys, nonces(), NOW + 30)
    assert refusal(request, now=NOW + 31) is Alarm.EXPIRED


def test_a_request_may_not_end_later_than_it_must():
    assert refusal(signed_by_others(WINDOW + 1)) is Alarm.UNSIGNED


@pytest.mark.parametrize("name", ["signature", "signature-input"])
def test_an_unsigned_request_is_refused(name):
    assert refusal(get()) is Alarm.UNSIGNED
    assert refusal(with_header(signed(get()), name, None)) is Alarm.UNSIGNED


def test_a_request_of_nobody_known_is_refused():
    assert refusal(signed(get()), known=lambda _key_id: None) is Alarm.UNKNOWN_KEY


def test_a_request_under_anothers_name_is_refused():
    request = signed(get(), by=Signing(THEIRS.key_id, OURS.signer))

    assert refusal(request) is Alarm.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("old", "new", "alarm"),
    [
        ('"@method" ', "", Alarm.UNSIGNED),
        ('"@authority" ', "", Alarm.UNSIGNED),
        ('"@target-uri" ', "", Alarm.UNSIGNED),
        ('"content-digest" ', "", Alarm.UNSIGNED),
        (' "content-type"', "", Alarm.UNSIGNED),
        ('"content-digest"', '"content-digest";req', Alarm.UNSIGNED),
        ('"@method"', '"@method";req', Alarm.UNSIGNED),
        ('"@target-uri"', '"@target-uri";x=1', Alarm.UNSIGNED),
        ('"@method"', "method", Alarm.UNSIGNED),
        ('"@method"', '"@method" "@method"', Alarm.BAD_SIGNATURE),
        ('"@method"', '"@method" "x"', Alarm.BAD_SIGNATURE),
        ('"@method"', '"@method" 7', Alarm.BAD_SIGNATURE),
        ('tag="breakwater/1"', 'tag="breakwater/2"', Alarm.UNSIGNED),
        (';tag="breakwater/1"', "", Alarm.UNSIGNED),
        ('alg="ed25519"', 'alg="hmac-sha256"', Alarm.UNSIGNED),
        (';alg="ed25519"', "", Alarm.UNSIGNED),
        (";created=", ";made=", Alarm.UNSIGNED),
        (f";created={NOW}", f";created={NOW}.0", Alarm.UNSIGNED),
        (f";created={NOW}", f";created={NOW - 1}", Alarm.UNSIGNED),
        (f";created={NOW}", f";created={NOW + 1}", Alarm.BAD_SIGNATURE),
        (";expires=", ";ends=", Alarm.UNSIGNED),
        (f";expires={NOW + WINDOW}", f";expires={NOW + WINDOW + 1}", Alarm.UNSIGNED),
        (f";expires={NOW + WINDOW}", f";expires={NOW}", Alarm.UNSIGNED),
        (f";expires={NOW + WINDOW}", f";expires={NOW + 5}", Alarm.BAD_SIGNATURE),
        (";nonce=", ";once=", Alarm.UNSIGNED),
        (';keyid="hub-a#1"', "", Alarm.UNSIGNED),
        (';keyid="hub-a#1"', ';keyid=""', Alarm.UNSIGNED),
        (';keyid="hub-a#1"', ";keyid=7", Alarm.UNSIGNED),
        (';keyid="hub-a#1"', ';keyid="hub-b#1"', Alarm.BAD_SIGNATURE),
        (';keyid="hub-a#1"', ';keyid="hub-c#1"', Alarm.UNKNOWN_KEY),
        ("breakwater=", "breakwater=(), more=", Alarm.BAD_SIGNATURE),
        ("breakwater=", "breakwater", Alarm.BAD_SIGNATURE),
        ("breakwater=", "other=", Alarm.BAD_SIGNATURE),
        ("breakwater=(", "breakwater=" + " " * 2048 + "(", Alarm.BAD_SIGNATURE),
    ],
)
def test_a_signature_that_says_less_or_other_is_refused(old, new, alarm):
    request = signed(post())
    words = header(request, "signature-input")
    assert old in words

    changed = with_header(request, "signature-input", words.replace(old, new, 1))

    assert refusal(changed) is alarm


@pytest.mark.parametrize("value", ["", "x", "a=1", "breakwater=:AAAA:", "breakwater=::, b=:AA==:"])
def test_a_signature_that_is_none_is_refused(value):
    assert refusal(with_header(signed(get()), "signature", value)) is Alarm.BAD_SIGNATURE


def test_a_signature_is_written_in_one_way():
    request = signed(get())
    written = header(request, "signature")
    assert written.endswith("==:")
    last = written[-4]  # four of its six bits mean nothing

    for letter in BASE64[BASE64.index(last) + 1 :][:15]:
        changed = written[:-4] + letter + "==:"
        assert refusal(with_header(request, "signature", changed)) is Alarm.BAD_SIGNATURE


@pytest.mark.parametrize("short", ["", "a" * 21, "a" * 129, "a" * 21 + " "])
def test_a_nonce_that_can_be_guessed_is_refused(short):
    request = signed_request(get(), OURS, created=NOW, nonce=short)

    assert refusal(request) is Alarm.UNSIGNED


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
def test_a_header_that_is_there_twice_is_refused(name):
    request = signed(post())
    twice = replace(request, headers=(*request.headers, (name, header(request, name))))

    assert refusal(twice) is Alarm.BAD_SIGNATURE


@pytest.mark.parametrize(
    "changed",
    [
        replace(signed(get()), body=b"a body nobody signed"),
        with_header(signed(get()), "content-type", "text/html"),
        with_header(signed(get()), "content-digest", "sha-256=:AAAA:"),
        with_header(signed(post()), "content-digest", None),
        with_header(signed(post()), "content-type", None),
    ],
)
def test_a_body_nobody_signed_is_refused(changed):
    assert refusal(changed) in {Alarm.UNSIGNED, Alarm.BAD_SIGNATURE}


@pytest.mark.parametrize("body", [b"", b'{"old":8}', b'{"old":9} ', None])
def test_the_digest_is_computed_anew(body):
    assert refusal(replace(signed(post()), body=body)) is Alarm.BAD_SIGNATURE


def test_a_packed_request_is_refused():
    packed = with_header(signed(post()), "content-encoding", "gzip")

    assert refusal(packed) is Alarm.TRANSPORT


@pytest.mark.parametrize(
    "url",
    [
        URL + "#top",
        "https://user@hub-b.example/fed/v1/ops?from=0&size=9",
        "https://hub-b.example",
        "ftp://hub-b.example/",
    ],
)
def test_a_url_with_parts_that_no_signature_covers_is_refused(url):
    assert refusal(replace(signed(get()), url=url)) is Alarm.TRANSPORT


def test_a_request_to_another_hub_is_refused():
    request = replace(signed(get()), url=URL.replace("hub-b", "hub-c"))

    assert refusal(request) is Alarm.BAD_SIGNATURE


def test_where_we_are_is_said_by_us():
    assert served_url("https://hub-b.example/", "/fed/v1?a") == "https://hub-b.example/fed/v1?a"


@pytest.mark.parametrize(
    "target", ["https://hub-c.example/", "*", "", "x", "/a#b", "/a b", "/ü", "/a\n"]
)
def test_a_target_that_is_no_path_is_refused(target):
    with pytest.raises(RefusedError):
        served_url("https://hub-b.example", target)


# -- time and repetition -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created", "alarm"),
    [
        (NOW - WINDOW, None),
        (NOW, None),
        (NOW + WINDOW, None),
        (NOW - WINDOW - 1, Alarm.EXPIRED),
        (NOW + WINDOW + 1, Alarm.FUTURE),
        (0, Alarm.EXPIRED),
        (NOW + 10**9, Alarm.FUTURE),
    ],
)
def test_a_request_is_of_now_within_a_minute(created, alarm):
    request = signed(get(), created)

    if alarm is None:
        assert verified(request, keys, nonces(), NOW)
    else:
        assert refusal(request) is alarm


@pytest.mark.parametrize("first", [-WINDOW, 0, WINDOW])
def test_a_replay_is_refused_at_every_offset(first):
    clock = [NOW + first]
    memory, request = MemoryNonces(lambda: clock[0]), signed(get(), NOW)
    assert verified(request, keys, memory, clock[0])

    for offset in range(first, 121):
        clock[0] = NOW + offset
        for _ in range(REPLAYS):
            assert refusal(request, clock[0], memory=memory) in {Alarm.REPLAYED, Alarm.EXPIRED}
    for offset in range(-120, first):  # a clock that was set back
        assert refusal(request, NOW + offset, memory=memory) in {Alarm.REPLAYED, Alarm.FUTURE}


def test_nonces_are_kept_for_longer_than_any_request_is_good():
    assert KEEP_NONCES > 2 * WINDOW


def test_a_false_signature_leaves_nothing_in_the_memory():
    memory, request = nonces(), signed(post())
    assert refusal(replace(request, body=b"other"), memory=memory) is Alarm.BAD_SIGNATURE

    assert verified(request, keys, memory, NOW) == OURS.key_id


def test_two_hubs_may_choose_the_same_nonce():
    memory, same = nonces(), nonce()
    for signing in (OURS, THEIRS):
        request = signed_request(get(), signing, created=NOW, nonce=same)
        assert verified(request, keys, memory, NOW) == signing.key_id


# -- mutations -----------------------------------------------------------------------------------


def mutated_text(text):
    place = CHANCE.randrange(len(text) + 1)
    letter = chr(CHANCE.choice([CHANCE.randrange(32, 127), CHANCE.randrange(256)]))
    return CHANCE.choice(
        [
            text[:place] + letter + text[place:],
            text[:place] + letter + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + text[place : place + 1].swapcase() + text[place + 1 :],
            text[:place] + text[place:][::-1],
        ]
    )


def mutated_body(body):
    place = CHANCE.randrange(len(body) * 8)
    flipped = bytearray(body)
    flipped[place // 8] ^= 1 << place % 8
    return CHANCE.choice([bytes(flipped), body[: place // 8], body + b"\0", body * 2])


def mutated_headers(headers):
    place = CHANCE.randrange(len(headers))
    (name, value), rest = headers[place], headers[:place] + headers[place + 1 :]
    return CHANCE.choice(
        [
            rest,
            (*headers, (name, mutated_text(value))),
            (*headers[:place], (mutated_text(name), value), *headers[place + 1 :]),
            *[(*headers[:place], (name, mutated_text(value)), *headers[place + 1 :])] * 5,
        ]
    )


def mutated(request):
    part = CHANCE.choice(["method", "url", "headers", "headers", "headers", "body"])
    how = {
        "method": mutated_text,
        "url": mutated_text,
        "headers": mutated_headers,
        "body": mutated_body,
    }[part]
    return replace(request, **{part: how(getattr(request, part))})


def content(request):
    """What a receiver acts upon."""
    types = [value.strip() for name, value in request.headers if name.lower() == "content-type"]
    return request.method, request.url, request.body, types


def test_no_mutation_of_a_request_is_accepted_as_another():
    refused = 0
    original = signed(post())
    for number in range(MUTATIONS):
        if number % 100 == 0:
            original = signed(post())
            assert verified(original, keys, nonces(), NOW) == OURS.key_id
        changed = mutated(original)
        try:
            assert verified(changed, keys, nonces(), NOW) == OURS.key_id
        except RefusedError:
            refused += 1
        else:
            assert content(changed) == content(original)
    assert refused > MUTATIONS * 0.9


def test_every_bit_of_what_is_signed_counts():
    original = signed(post())
    for name in ("signature", "content-digest", "content-type"):
        value = header(original, name)
        start = value.find(":") + 1
        for place in range(start, len(value)):
            letter = "A" if value[place] != "A" else "B"
            changed = value[:place] + letter + value[place + 1 :]
            assert refusal(with_header(original, name, changed)), (name, place)
    for place in range(len(original.body) * 8):
        flipped = bytearray(original.body)
        flipped[place // 8] ^= 1 << place % 8
        assert refusal(replace(original, body=bytes(flipped))) is Alarm.BAD_SIGNATURE


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [get(), post()])
@pytest.mark.parametrize("status", [200, 403, 404])
def test_an_honest_answer_is_its_signers(request_, status):
    asked = signed(request_)

    assert verify_response(answered(asked, status), asked, keys, NOW) == THEIRS.key_id


def test_a_packed_answer_is_signed_as_packed():
    asked = signed(get())
    answer = answered(asked, body=b"packed", headers=[("Content-Encoding", "gzip")])

    assert verify_response(answer, asked, keys, NOW) == THEIRS.key_id
    unmarked = with_header(answer, "content-encoding", None)
    assert answer_refusal(unmarked, asked) is Alarm.BAD_SIGNATURE


def test_an_answer_that_is_marked_as_packed_on_its_way_is_refused():
    asked = signed(get())

    marked = with_header(answered(asked), "content-encoding", "gzip")

    assert answer_refusal(marked, asked) is Alarm.UNSIGNED


def test_an_answer_to_an_earlier_request_is_refused():
    earlier, later = signed(get()), signed(get())

    assert answer_refusal(answered(earlier), later) is Alarm.BAD_SIGNATURE


def test_an_answer_to_another_hub_is_refused():
    theirs = signed(get(), by=Signing("hub-c#1", signer(3)))

    assert answer_refusal(answered(theirs), signed(get())) is Alarm.BAD_SIGNATURE


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: replace(answer, status=404),
        lambda answer: replace(answer, body=b"no"),
        lambda answer: with_header(answer, "content-type", "text/html"),
        lambda answer: with_header(answer, "content-type", None),
        lambda answer: with_header(answer, "signature", None),
        lambda answer: with_header(answer, "content-digest", "sha-256=:AAAA:"),
    ],
)
def test_a_changed_answer_is_refused(change):
    asked = signed(get())

    assert answer_refusal(change(answered(asked)), asked)


def test_an_unsigned_answer_is_refused():
    assert answer_refusal(Response(200), signed(get())) is Alarm.UNSIGNED


def test_an_answer_to_what_nobody_signed_cannot_be_signed():
    with pytest.raises(RefusedError) as refused:
        answered(get())

    assert refused.value.alarm is Alarm.UNSIGNED


def test_what_has_no_type_cannot_be_signed():
    with pytest.raises(RefusedError):
        signed(Request("POST", URL, (), b"{}"))
    with pytest.raises(RefusedError):
        signed_response(Response(200), signed(get()), THEIRS, created=NOW)


def test_our_own_requests_signature_is_no_answer():
    asked = signed(post())
    echoed = Response(200, asked.headers, asked.body)

    assert answer_refusal(echoed, asked) is Alarm.UNSIGNED


@pytest.mark.parametrize(
    ("created", "alarm"), [(NOW - 61, Alarm.EXPIRED), (NOW + 61, Alarm.FUTURE)]
)
def test_an_answer_is_of_now_within_a_minute(created, alarm):
    asked = signed(get())

    assert answer_refusal(answered(asked, created=created), asked) is alarm
