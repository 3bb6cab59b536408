# SPDX-License-Identifier: Apache-2.0
"""Group D: what is rightly signed, and not for this peer to say, or not here, or not so."""

from dataclasses import replace

from federation.errors import Alarm
from federation.operations.leaves import Kind
from federation.operations.payloads import write
from federation.operations.values import (
    Assert,
    Body,
    Exclude,
    Op,
    Operation,
    Policy,
    Purge,
    Revoke,
    SignalCode,
)
from tests.hostile import relayed
from tests.hostile.behaviours import Behaviour, Change, Elsewhere, Group, Inexpressible, State
from tests.hostile.contract import HERE
from tests.hostile.making import (
    EVIL,
    changed,
    envelope,
    paging,
    payload,
    rightly,
    rightly_saying as signing,
    says,
    telling,
)
from tests.hostile.peer import Peer, code, envelope_of, said, target
from tests.hostile.times import revoked
from tests.simulators.partner import THIEF
from tests.simulators.statements import EXC, ORIGIN, SET, WORDS, operation

OPS, PAGE, RELAY = (
    "`GET /ops`: an operation's payload",
    "`GET /ops`: the page",
    "`GET /ops`: a record of the kind `relay`",
)
OTHER = "hub-c.example"
"""A hub that the peer knows and we do not ask."""
ELSEWHERE = "set_" + "z" * 26
"""A set that we do not share."""
ANOTHER = f"{ORIGIN}/m/{'z' * 16}"
"""Another author of the peer's."""
MANY = range(200, 240)
"""Numbers of many indicators."""
MALFORMED, CONTENT = Alarm.MALFORMED, Alarm.CONTENT
SAID = State.SAID


def picture(*codes: SignalCode, **changed: object) -> Operation:
    """The evil operation with other codes."""
    return said(80, body=Assert("picture", codes, WORDS), **changed)


def handed_on(one: Operation, **record: object) -> Change:
    """A peer that hands on what another hub is said to have said."""
    told = write(one).payload
    values = {"kind": Kind.RELAY, "source": one.origin, **record}
    return lambda peer: peer.put(envelope_of(one), told, **values)


def _theirs(number: int, hub: str = OTHER) -> Operation:
    return said(number, origin=hub, author=f"{hub}/m/{'k' * 16}")


def _of_another_entry(peer: Peer) -> None:
    told = write(EVIL).payload
    other = write(said(81)).payload
    peer.put(envelope(told, rightly(other)), told)


def _again(peer: Peer) -> None:
    """What the peer said first, once more: after it took it back."""
    first = peer.log.records[0]
    assert first.envelope is not None
    peer.put(dict(first.envelope), write(said(1)).payload)


def _beside_good(peer: Peer) -> None:
    told = write(EVIL).payload
    peer.say(said(81))
    peer.put(envelope(told, rightly(told, THIEF)), told)
    peer.say(said(82))


def _very_bad(peer: Peer) -> None:
    for number in range(11):
        told = write(said(40 + number)).payload
        peer.put(envelope(told, rightly(told, THIEF)), told)


def _in_their_set(peer: Peer) -> None:
    peer.say(said(80, policy=Policy("amber", (ELSEWHERE,))))
    peer.page = lambda page, _: replace(page, sets=(SET, ELSEWHERE))


def _other_kind(op: Op, body: Body, **changed: str) -> Operation:
    return operation(op, author=ANOTHER, body=body, salt=b"another kind of.", **changed)


def _excluded(what: SignalCode) -> Operation:
    return _other_kind(Op.EXCLUDE, Exclude(what, 31, "benign"))


_OURS_BACK = "test_contents.py::test_what_we_said_does_not_come_back_as_something_else"
GROUP = Group(
    "D",
    "Content and authority",
    22,
    (
        *relayed.FIRST,
        Behaviour("D3", "entry with the signature of another entry", OPS, Alarm.BAD_SIGNATURE,
                  _of_another_entry),
        Behaviour("D4", "entry in our namespace", OPS, Alarm.WRONG_ORIGIN,
                  lambda peer: peer.put(envelope_of(_theirs(80, HERE)),
                                        write(_theirs(80, HERE)).payload)),
        Behaviour("D4.author", "entry of an author of ours", OPS, Alarm.WRONG_ORIGIN,
                  telling("author", f"{HERE}/m/{'k' * 16}")),
        Behaviour("D5", "entry outside of what is shared", OPS, Alarm.OUT_OF_AUDIENCE,
                  says(said(80, policy=Policy("amber", (ELSEWHERE,))))),
        Behaviour("D5.theirs", "entry in a set that only the peer shares yet: no offence", OPS,
                  None, _in_their_set),
        Behaviour("D5.red", "entry that its label keeps at home", OPS, Alarm.OUT_OF_AUDIENCE,
                  says(said(80, policy=Policy("red", (SET,))))),
        Behaviour("D5.victim", "entry that shows a victim", OPS, Alarm.OUT_OF_AUDIENCE,
                  telling("body.words.depicts", "known-victim")),
        Behaviour("D5.operator", "entry of an organisation that the peer may not speak for", OPS,
                  Alarm.UNVOUCHED, says(said(80, operator="stranger.example"))),
        Elsewhere("D6", "our own entry back, altered", RELAY, None,
                  f"{_OURS_BACK}[D6]", State.GOES_ON),
        Elsewhere("D6.signed", "the same, signed by the peer", RELAY, None,
                  f"{_OURS_BACK}[D6.signed]", State.GOES_ON),
        Elsewhere("D6.same", "our own entry back as it was: it says nothing new", RELAY, None,
                  f"{_OURS_BACK}[D6.same]", State.GOES_ON),
        Elsewhere("D6.theirs", "our own entry back as the peer's own", OPS, Alarm.UNKNOWN_KEY,
                  f"{_OURS_BACK}[D6.theirs]", State.GOES_ON),
        Behaviour("D6.own", "an entry under our name that we never said", RELAY, None,
                  handed_on(_theirs(80, HERE))),
        Elsewhere("D6.yours", "what we never said, given back to us after we were restored",
                  "`GET /yours`", None,
                  "../unit/federation/test_returned.py::test_nobody_makes_up_what_we_said"),
        Inexpressible("D7", "hop count over the limit",
                      "operations count no hops: a hub logs each id once, so what goes in a "
                      "circle ends after one lap, and its origin alone says whether it may be "
                      "handed on"),
        Behaviour("D8", "it asks to be enforced", OPS, MALFORMED,
                  telling("policy.act", "enforce")),
        Behaviour("D8.research", "it is for research alone: kept, and found by nobody", OPS, None,
                  says(said(80, policy=Policy("amber", (SET,), act="research"))), state=SAID),
        Behaviour("D9", "k claimed in the data", OPS, MALFORMED, telling("policy.votes", 5)),
        Behaviour("D9.standing", "standing claimed in the data", OPS, MALFORMED,
                  telling("body.standing", "corroborated")),
        Behaviour("D9.word", "the same as a word, which nobody reads", OPS, None,
                  telling("body.words.operators", 5), state=State.ACCEPTED),
        Behaviour("D10", "retraction of another origin's entry", OPS, Alarm.WRONG_ORIGIN,
                  signing(payload("author", f"{OTHER}/m/{'k' * 16}",
                                  revoked(1)).replace(b'"origin":"hub-a', b'"origin":"hub-c'))),
        Behaviour("D10.author", "retraction of another author's entry", OPS, None,
                  says(revoked(1, author=ANOTHER)), state=SAID),
        Behaviour("D11", "retraction of an unknown id", OPS, None, says(revoked(60)), state=SAID),
        Behaviour("D12", "un-retraction: what was taken back is said again as it was", OPS, None,
                  _again, before=says(revoked(1))),
        Behaviour("D13", "add after tombstone", OPS, None, says(said(60)),
                  before=says(revoked(60))),
        Behaviour("D14", "degenerate hash", OPS, CONTENT,
                  says(picture(SignalCode("pdq", b"\xff" * 32, 90))), state=SAID),
        Behaviour("D14.blurred", "hash of a picture without features", OPS, CONTENT,
                  says(picture(SignalCode("pdq", code(80), 10))), state=SAID),
        Behaviour("D15", "hash of the wrong length", OPS, CONTENT,
                  says(picture(SignalCode("pdq", code(80)[1:], 90))), state=SAID),
        Behaviour("D16", "upper-case hash", OPS, MALFORMED,
                  telling("body.signals.0.v", code(80).hex().upper())),
        Behaviour("D17", "padded hash", OPS, MALFORMED,
                  telling("body.signals.0.v", f" {code(80).hex()}")),
        Behaviour("D18", "hash with a newline", OPS, MALFORMED,
                  telling("body.signals.0.v", f"{code(80).hex()}\n")),
        Behaviour("D19", "unknown algorithm alone", OPS, CONTENT,
                  says(picture(SignalCode("unheard-of", code(80)))), state=SAID),
        Behaviour("D19.beside", "unknown algorithm beside a known one: carried, not searched",
                  OPS, None,
                  says(picture(SignalCode("pdq", code(80), 90),
                               SignalCode("unheard-of", code(81)))),
                  state=State.ACCEPTED),
        Behaviour("D20", "unknown field", OPS, MALFORMED, telling("confirmed", value=True)),
        Behaviour("D20.page", "unknown field of the page", PAGE, MALFORMED,
                  paging(EVIL, change=lambda _, page: changed(page, total=5)),
                  state=State.SAME),
        Behaviour("D21", "id of another author's entry with other content: it gets another id",
                  OPS, None, says(said(80, target=target(1), author=ANOTHER)),
                  state=State.ACCEPTED),
        Behaviour("D22", "most of what it said taken back at once: what is beyond its pace is "
                  "disputed, and live", OPS, None, says(*(revoked(one) for one in MANY[:30])),
                  before=says(*map(said, MANY)), state=State.ACCEPTED),
        Behaviour("D23", "a bad entry between good ones: only it is refused", OPS,
                  Alarm.BAD_SIGNATURE, _beside_good, state=State.ACCEPTED),
        Behaviour("D25", "an exclusion of whatever is near a picture: one voice that disagrees, "
                  "and hides nothing", OPS, None,
                  says(_excluded(SignalCode("pdq", code(1), 90))), state=SAID),
        Behaviour("D25.impossible", "an exclusion by a code that no picture has", OPS, CONTENT,
                  says(_excluded(SignalCode("pdq", b"\xff" * 32, 90))), state=SAID),
        Behaviour("D25.unknown", "an exclusion by an algorithm that nobody knows", OPS, None,
                  says(_excluded(SignalCode("unheard-of", code(1)))), state=SAID),
        Behaviour("D25.radius", "an exclusion of half the world", OPS, MALFORMED,
                  signing(payload("body.radius", 128, _excluded(SignalCode("pdq", code(1)))))),
        Behaviour("D25.author", "the end of another author's exclusion", OPS, None,
                  says(_other_kind(Op.REVOKE, Revoke(), target=EXC)),
                  before=says(replace(_excluded(SignalCode("pdq", code(1))),
                                      author=f"{ORIGIN}/o/{'k' * 16}")), state=SAID),
        Behaviour("D26", "a request to erase what another author said", OPS, None,
                  says(_other_kind(Op.PURGE, Purge("unlawful-to-share"), target=target(1))),
                  state=SAID),
        *relayed.REST,
        Behaviour("D24", "more bad entries in a page than slips explain", OPS, CONTENT, _very_bad,
                  state=State.SAME, suspends=True),
    ),
)  # fmt: skip
