# SPDX-License-Identifier: Apache-2.0
"""Group F: HTTP, TLS and signatures of requests that are not what they should be."""

import time
from dataclasses import replace
from typing import Any

from federation.errors import Alarm
from federation.transport.messages import Request
from federation.transport.signatures import Signing, signed_request, signed_response
from tests.hostile.behaviours import UNREACHABLE, Behaviour, Change, Elsewhere, Group, State
from tests.hostile.envelopes import show, shown_right
from tests.hostile.making import EVIL, says
from tests.hostile.peer import REQUESTS, Peer, Told, encoded, written_file
from tests.hostile.shapes import answering, scripted
from tests.simulators.scripted import Connection
from tests.support.signing import signer

HTTP, TLS, SIGNED, ASKED, POSTED = (
    "`GET /ops`: HTTP",
    "every request: TLS",
    "`GET /ops`: the signature of the answer (RFC 9421)",
    "`GET /ops` to us: the signature of the request (RFC 9421)",
    "`POST /bundles` to us: the signature of the request (RFC 9421)",
)

FILE = "`GET /tuf/targets/<sha256>.hub.json`"
SAME = State.SAME
TRANSPORT = Alarm.TRANSPORT
TEN_YEARS = 315_360_000
PROBLEM = "application/problem+json"


def redirected(to: str, status: int = 302) -> Change:
    """An answer that leads elsewhere, rightly signed; nobody may go there."""
    return answered(status, ("Location", to))


def answered(status: int, *lines: tuple[str, str], body: bytes = b"{}") -> Change:
    """An answer of another status, rightly signed."""
    return answering(lambda _: Told(body, status, PROBLEM, lines))


def honestly(status: int) -> Change:
    """The honest answer under another status."""
    return answering(lambda told: replace(told, status=status))


def shown(**changes: Any) -> Change:
    """A peer that says something else of itself, rightly signed."""
    return lambda peer: show(peer, written_file(**changes))


def _of_another_hub(peer: Peer) -> None:
    show(peer, written_file().replace(b"hub-a.example", b"hub-c.example"))


def _replayed(peer: Peer) -> None:
    """What it answered before, with its signature of then."""
    earlier = peer.last
    peer.say(EVIL)
    peer.script = lambda connection, _: connection.send(earlier)


def another_request(connection: Connection, peer: Peer) -> Request:
    """The same request by another hub of the peer's partners."""
    asked = peer.asked(connection)
    theirs = Signing("hub-c.example#req-1", signer(140))
    now = int(time.time())
    return signed_request(Request(asked.method, asked.url), theirs, created=now, nonce="n" * 22)


def _for_another(connection: Connection, peer: Peer) -> None:
    response = peer.signed(connection, _honest(connection, peer))
    plain = replace(response, headers=response.headers[:1])
    again = signed_response(
        plain, another_request(connection, peer), REQUESTS, created=int(time.time())
    )
    connection.send(encoded(again))


def _unsigned(connection: Connection, peer: Peer) -> None:
    response = peer.signed(connection, _honest(connection, peer))
    connection.send(encoded(replace(response, headers=response.headers[:1])))


def _by_thief(connection: Connection, peer: Peer) -> None:
    thief = Signing(REQUESTS.key_id, signer(141))
    connection.send(peer.rendered(connection, _honest(connection, peer), thief))


def _other_status(connection: Connection, peer: Peer) -> None:
    told = replace(_honest(connection, peer), status=404)
    connection.send(encoded(replace(peer.signed(connection, told), status=200)))


def _with_tag(told: Told) -> Told:
    return replace(told, lines=(("ETag", '"always"'),))


def _tagged(peer: Peer) -> None:
    """The peer honestly has nothing new, and names what it answers."""
    peer.told = _with_tag


def _honest(connection: Connection, peer: Peer) -> Told:
    return peer.answer(connection.head.split(b" ", 2)[1].decode().removeprefix("/fed/v1"))


def _elsewhere(number: int, does: str, message: str, alarm: Alarm, test: str) -> Elsewhere:
    return Elsewhere(f"F{number}", does, message, alarm, f"test_transports.py::{test}")


_TLS = "test_a_partner_with_a_false_certificate_is_not_listened_to"
GROUP = Group(
    "F",
    "Protocol and transport",
    21,
    (
        Behaviour("F1", "redirect to http", HTTP, TRANSPORT,
                  redirected("http://hub-a.example/fed/v1/ops"), state=SAME,
                  wire="302 with Location: http://hub-a.example/fed/v1/ops"),
        Behaviour("F2", "redirect to loopback", HTTP, TRANSPORT,
                  redirected("http://127.0.0.1:6379/"), state=SAME,
                  wire="302 with Location: http://127.0.0.1:6379/"),
        Behaviour("F3", "redirect to another hub", HTTP, TRANSPORT,
                  redirected("https://hub-c.example/fed/v1/ops", 307), state=SAME,
                  wire="307 with Location: https://hub-c.example/fed/v1/ops"),
        Behaviour("F4", "redirect loop", HTTP, TRANSPORT, redirected("/fed/v1/ops?from=4", 308),
                  state=SAME, wire="308 with Location: the same place"),
        _elsewhere(5, "DNS answer that changes to 127.0.0.1", "every request: the address",
                   TRANSPORT, "test_a_name_that_comes_to_mean_our_own_machine_is_not_called"),
        _elsewhere(6, "certificate that has expired", TLS, TRANSPORT, f"{_TLS}[expired]"),
        _elsewhere(7, "certificate of another name", TLS, TRANSPORT, f"{_TLS}[wrong-name]"),
        _elsewhere(8, "certificate that signs itself", TLS, TRANSPORT, f"{_TLS}[self-signed]"),
        Behaviour("F9", "401 to whatever is asked", HTTP, UNREACHABLE,
                  answered(401, ("WWW-Authenticate", "Basic")), state=SAME,
                  wire="401, signed"),
        Behaviour("F10", "429 with Retry-After of ten years", HTTP, UNREACHABLE,
                  answered(429, ("Retry-After", str(TEN_YEARS))), state=SAME,
                  wire="429 with Retry-After: 315360000"),
        Behaviour("F11", "304 to a request without a validator", HTTP, TRANSPORT,
                  answered(304, body=b""), state=SAME, wire="304 without a body"),
        Behaviour("F12", "ETag unchanged with other content: nobody reads it", HTTP, None,
                  answering(_with_tag), before=_tagged, state=State.ACCEPTED),
        Behaviour("F13", "206 instead of 200", HTTP, TRANSPORT, honestly(206), state=SAME,
                  wire="the honest answer under 206"),
        Behaviour("F14", "wrong content type", HTTP, TRANSPORT,
                  answering(lambda told: replace(told, media_type="text/plain")), state=SAME,
                  wire="the honest answer as text/plain, signed"),
        Behaviour("F15", "replayed answer to an earlier request", SIGNED, TRANSPORT, _replayed,
                  state=SAME, before=says(),
                  wire="the answer to the request before, byte for byte"),
        Behaviour("F16", "answer for another partner", SIGNED, TRANSPORT,
                  scripted(_for_another), state=SAME,
                  wire="the honest answer, signed for another hub's request"),
        Behaviour("F16.unsigned", "answer that nobody signed", SIGNED, TRANSPORT,
                  scripted(_unsigned), state=SAME, wire="the honest answer, not signed"),
        Behaviour("F16.key", "answer that another key signed", SIGNED, TRANSPORT,
                  scripted(_by_thief), state=SAME,
                  wire="the honest answer, signed by another key under the right id"),
        Behaviour("F16.status", "answer whose status was changed on its way", SIGNED, TRANSPORT,
                  scripted(_other_status), state=SAME,
                  wire="a 404, signed, under the status 200"),
        _elsewhere(17, "to us: replayed nonce", ASKED, Alarm.REPLAYED,
                   "test_a_request_that_came_already_is_refused"),
        _elsewhere(18, "to us: nonce race", ASKED, Alarm.REPLAYED,
                   "test_of_one_request_sent_many_times_at_once_one_is_answered"),
        _elsewhere(19, "to us: missing component", ASKED, Alarm.UNSIGNED,
                   "test_a_request_that_is_not_signed_as_it_must_be_is_refused[F19]"),
        _elsewhere(20, "to us: digest that is not the body's", POSTED, Alarm.BAD_SIGNATURE,
                   "test_a_request_that_is_not_signed_as_it_must_be_is_refused[F20]"),
        _elsewhere(21, "to us: created outside of the window", ASKED, Alarm.EXPIRED,
                   "test_a_request_that_is_not_signed_as_it_must_be_is_refused[F21]"),
        Behaviour("F22", "identity that says that the hub is elsewhere now", FILE, TRANSPORT,
                  shown(base="https://hub-a.example/fed/v1"), mended=shown_right, state=SAME),
        Behaviour("F23", "identity of another hub", FILE, Alarm.WRONG_ORIGIN, _of_another_hub,
                  mended=shown_right, state=SAME),
        Behaviour("F24", "identity that speaks a later version only", FILE, Alarm.MALFORMED,
                  shown(min_version=2), mended=shown_right, state=SAME),
    ),
)  # fmt: skip
