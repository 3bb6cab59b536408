# SPDX-License-Identifier: Apache-2.0
"""What a hub says of itself has one writing, and nothing in it contradicts the rest."""

import json
from contextlib import suppress
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError, WeakKeyError
from federation.forms.canonical import MAX_BYTES, MAX_DEPTH
from federation.identity.hubfile import MAX_OPERATORS, read_hub_file, write
from federation.identity.values import ClosedLog, HubFile, Log, Operator, OpKey, ReqKey
from federation.keys import SMALL_ORDER, P
from federation.log.cosignatures import Cosigner
from federation.log.verifiers import Verifier
from tests.simulators.identities import BASE, HUB, ORIGIN, hub_file, op_key, vkey
from tests.support.signing import signer

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HUBS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
SIZES = st.integers(0, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
EXTRAS = st.none() | st.dictionaries(NAMES, TEXTS | st.lists(SIZES), max_size=3).map(
    lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
)


@st.composite
def files(draw):
    """Files of hubs that differ in every member."""
    hub, operator = draw(HUBS), draw(HUBS)
    numbers = draw(st.permutations(range(1, 200)))
    origin = f"{hub}/fed/{draw(st.integers(1, 10**6))}"
    lives = draw(st.lists(st.tuples(SIZES, SIZES), max_size=3))
    closed = [
        OpKey(f"k{at}", signer(numbers[at]).public, at + 1, min(life), max(life))
        for at, life in enumerate(lives)
    ]
    newest = OpKey("newest", signer(numbers[9]).public, len(lives) + 1, draw(SIZES), None)
    return HubFile(
        hub=hub,
        operator=Operator(operator, draw(st.sampled_from(["platform", "hotline"]))),
        base=f"https://{hub}{draw(st.sampled_from(['', ':8443', '/a/b.c']))}/fed/v1",
        operators=tuple(dict.fromkeys([operator, *draw(st.lists(HUBS, max_size=3))])),
        log=Log(origin, (vkey(origin, numbers[10]),)),
        op_keys=(*closed, newest),
        req_keys=tuple(
            ReqKey(f"{hub}#req-{at}", signer(numbers[20 + at]).public)
            for at in range(1, draw(st.integers(1, 4)))
        ),
        witness=draw(st.none() | st.just(vkey(f"{hub}/w", numbers[11], kind=4))),
        witness_policy=draw(st.sampled_from(["", "quorum none\n", "# é\nquorum none\n"])),
        min_version=draw(st.integers(1, 2**53 - 1)),
        extra=draw(EXTRAS),
    )


@given(files())
def test_what_is_written_is_read_as_what_it_was(hub):
    assert read_hub_file(write(hub)) == hub


@given(files(), st.data())
def test_any_other_writing_is_refused(hub, data):
    payload = write(hub)
    at = data.draw(st.integers(0, len(payload)))
    spaced = payload[:at] + b" " + payload[at:]
    swapped = json.dumps(dict(reversed(json.loads(payload).items()))).encode()

    for other in (swapped, payload + b"\n", payload[:at]):
        if other != payload:
            with pytest.raises(MalformedError):
                read_hub_file(other)
    # Within a text a space is another text: refused for what it says, or it says another thing.
    with suppress(MalformedError):
        assert read_hub_file(spaced) != hub


def changed(path, value):
    said = json.loads(write(hub_file()))
    place = said
    *way, last = path.split(".")
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is ...:
        del place[last]
    else:
        place[last] = value
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


KEY = signer(90).public.raw.hex()


def test_a_change_that_breaks_no_rule_is_read():
    assert read_hub_file(changed("op_keys.1.public", KEY)).op_keys[1].public == signer(90).public
    assert read_hub_file(changed("x", {"any": [1]})).extra == b'{"any":[1]}'
    assert read_hub_file(changed("witness", None)).witness is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("v", 2),
        ("v", True),
        ("hub", "Hub-A.example"),
        ("hub", "hub-a"),
        ("hub", "hub-b.example"),
        ("hub", ...),
        ("operator", "operator.example"),
        ("operator.id", "third.example"),
        ("operator.kind", "Platform"),
        ("operator.name", "smuggled"),
        ("base", "https://hub-a.example/fed/v2"),
        ("operators", []),
        ("operators", ["operator.example"] * 2),
        ("operators", ["operator.example", *(f"o{at}.example" for at in range(MAX_OPERATORS))]),
        ("log.origin", f"{HUB}/fed/0"),
        ("log.origin", f"{HUB}/fed/02"),
        ("log.origin", f"{HUB}/fed/1"),
        ("log.origin", f"{HUB}/fed/3"),
        ("log.origin", f"x.{HUB}/fed/2"),
        ("log.vkeys", []),
        ("log.vkeys.0", "text"),
        ("log.vkeys.0", vkey("hub-b.example/fed/2", 51)),
        ("log.vkeys.0", vkey(ORIGIN, 51) + "="),
        ("log.vkeys.0", vkey(ORIGIN, 51) + "\n"),
        ("log.vkeys.0", vkey(ORIGIN, 61)),
        ("log.retired.0.vkey", vkey(ORIGIN, 51)),
        ("log.retired.0.vkey", vkey(f"{HUB}/fed/9", 50)),
        ("log.retired.0.size", -1),
        ("log.retired.0.root", "1" * 63),
        ("log.closed.0.origin", f"{HUB}/fed/2"),
        ("log.closed.0.origin", "hub-b.example/fed/1"),
        ("log.closed.0.more", 1),
        ("log.more", 1),
        ("op_keys", []),
        ("op_keys.0", None),
        ("op_keys.0.id", f"{HUB}#op-61"),
        ("op_keys.0.id", "a b"),
        ("op_keys.0.public", signer(61).public.raw.hex()),
        ("op_keys.0.public", signer(70).public.raw.hex()),
        ("op_keys.0.public", signer(80).public.raw.hex()),
        ("op_keys.0.public", KEY.upper()),
        ("op_keys.0.public", KEY[:-2]),
        ("op_keys.0.epoch", 0),
        ("op_keys.0.epoch", 1.0),
        ("op_keys.0.from", 5),
        ("op_keys.0.from", -1),
        ("op_keys.0.until", None),
        ("op_keys.0.until", 2**53),
        ("op_keys.0.until", ...),
        ("req_keys.0.id", "hub-b.example#req-1"),
        ("req_keys.0.id", f"{HUB}#req-0"),
        ("req_keys.0.id", f"{HUB}#op-1"),
        ("witness", "text"),
        ("witness", ...),
        ("witness.name", "text"),
        ("witness.vkey", vkey(f"{HUB}/w", 70, kind=4)),
        ("witness_policy", None),
        ("witness_policy", "quorum none"),
        ("witness_policy", "quorum none\r\n"),
        ("min_version", 0),
        ("x", 1),
        ("caps", {}),
    ],
)
def test_what_breaks_a_rule_is_refused(path, value):
    with pytest.raises(MalformedError):
        read_hub_file(changed(path, value))


@pytest.mark.parametrize("numbers", [(1, 1, 2), (2, 1, 3), (1, 2, 2), (1, 3, 2)])
def test_logs_are_numbered_as_they_followed_each_other(numbers):
    *closed, current = (f"{HUB}/fed/{number}" for number in numbers)
    ended = tuple(ClosedLog(origin, 9, "2" * 64, at) for at, origin in enumerate(closed, 1))
    keys = (op_key(60, epoch=len(numbers)),)

    with pytest.raises(MalformedError, match=r"followed each other|repetition"):
        write(hub_file(log=Log(current, (vkey(current, 51),), (), ended), op_keys=keys))


def test_a_log_may_have_followed_many():
    origin = f"{HUB}/fed/10"
    ended = tuple(
        ClosedLog(f"{HUB}/fed/{number}", 9, "2" * 64, epoch)
        for epoch, number in enumerate((2, 9), 1)
    )
    keys = (op_key(60, epoch=3),)
    hub = hub_file(log=Log(origin, (vkey(origin, 51),), (), ended), op_keys=keys)

    assert read_hub_file(write(hub)) == hub


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("log.origin", "hub-b.example/fed/2"),
        ("log.vkeys.0", vkey("hub-b.example/fed/2", 51)),
        ("log.retired.0.vkey", vkey("hub-b.example/fed/1", 50)),
        ("req_keys.0.id", "hub-b.example#req-1"),
    ],
)
def test_what_speaks_for_another_hub_raises_its_own_alarm(path, value):
    with pytest.raises(MalformedError) as refused:
        read_hub_file(changed(path, value))

    assert refused.value.alarm == Alarm.WRONG_ORIGIN


WEAK = sorted({*SMALL_ORDER, P, P + 3})


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", WEAK)
def test_a_key_under_which_anybody_could_sign_is_refused_wherever_it_stands(y, sign):
    raw = (y | sign << 255).to_bytes(32, "little")

    for path in ("op_keys.0.public", "req_keys.0.public"):
        with pytest.raises(WeakKeyError):
            read_hub_file(changed(path, raw.hex()))


@pytest.mark.parametrize("path", ["log.vkeys.0", "log.retired.0.vkey", "witness.vkey"])
@pytest.mark.parametrize("data", ["AQ" + "A" * 42, "BA" + "A" * 42])
def test_a_weak_key_of_notes_is_refused(path, data):
    name = {"log.retired.0.vkey": f"{HUB}/fed/1"}.get(path, ORIGIN)

    with pytest.raises(WeakKeyError):
        read_hub_file(changed(path, f"{name}+00000000+{data}"))


def test_keys_of_notes_are_written_as_notes_write_them():
    name = f"{HUB}/w"

    assert vkey(ORIGIN, 51) == Verifier(ORIGIN, signer(51).public).vkey
    assert vkey(name, 80, kind=4) == Cosigner(name, signer(80).public).vkey


def test_too_many_bytes_are_not_read():
    with pytest.raises(MalformedError) as refused:
        read_hub_file(b" " * (MAX_BYTES + 1))

    assert refused.value.alarm == Alarm.TOO_LARGE


def test_nothing_that_would_be_refused_is_written():
    with pytest.raises(MalformedError):
        write(hub_file(op_keys=(op_key(60), op_key(61, epoch=2))))
    with pytest.raises(MalformedError):
        write(replace(hub_file(), base=BASE + "/"))


def test_a_key_holds_from_its_first_index_to_the_last_before_its_end():
    closed, current = op_key(60, first=2, until=4), op_key(61, epoch=2, first=4)

    assert [closed.holds_at(at) for at in range(1, 6)] == [False, True, True, False, False]
    assert [current.holds_at(at) for at in (3, 4, 2**53)] == [False, True, True]
    assert not op_key(60, first=3, until=3).holds_at(3)


def test_keys_are_found_by_their_ids_and_the_newest_epoch_is_the_hubs():
    hub = hub_file()

    assert hub.op_key(f"{HUB}#op-60") == hub.op_keys[0]
    assert hub.req_key(f"{HUB}#req-1") == hub.req_keys[0]
    assert hub.op_key(f"{HUB}#req-1") is None
    assert hub.req_key("") is None
    assert hub.epoch == 2


@pytest.mark.parametrize(
    "extra",
    [
        {"a": 1.5},
        {"a": [{"b": 2**53}]},
        {"a": {"b": -(2**53)}},
        {"\u00e9": 1},
        {"a": {"\u00e9": 1}},
    ],
)
def test_what_nobody_reads_keeps_to_the_bounds_of_canonical_bytes_too(extra):
    payload = orjson.dumps(
        orjson.loads(write(hub_file())) | {"x": extra}, option=orjson.OPT_SORT_KEYS
    )

    with pytest.raises(MalformedError) as refused:
        read_hub_file(payload)

    assert refused.value.alarm is Alarm.NON_CANONICAL


@pytest.mark.parametrize(
    ("levels", "is_read"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (300, False), (5000, False)]
)
def test_what_nobody_reads_is_so_deep_and_no_deeper(levels, is_read):
    deep = b"[" * (levels - 1) + b"1" + b"]" * (levels - 1)
    payload = write(hub_file(extra=b'{"a":1}')).replace(b'{"a":1}', b'{"a":' + deep + b"}")

    if is_read:
        assert deep in (read_hub_file(payload).extra or b"")
    else:
        with pytest.raises(MalformedError) as refused:
            read_hub_file(payload)
        assert refused.value.alarm is Alarm.MALFORMED
