# SPDX-License-Identifier: Apache-2.0
"""Group E: answers that are too much, too slow, or no answers."""

import gzip
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from federation.errors import Alarm
from federation.pages import Page
from tests.hostile.behaviours import UNREACHABLE, Behaviour, Change, Group, State
from tests.hostile.making import EVIL, changed, paging, telling
from tests.hostile.peer import Peer, Told, encoded, said
from tests.simulators.scripted import Connection

PAGE, HTTP, TIMESTAMP, OPS = (
    "`GET /ops`: the page",
    "`GET /ops`: HTTP",
    "`GET /tuf/metadata/timestamp.json`",
    "`GET /ops`: an operation's payload",
)
SAME = State.SAME
MALFORMED, TOO_LARGE, TRANSPORT = Alarm.MALFORMED, Alarm.TOO_LARGE, Alarm.TRANSPORT
SOON = 0.4
"""Seconds that an answer may take where the peer lets us wait."""
MEGABYTE = bytes(1 << 20)
LOGIN = b"<!DOCTYPE html><html><title>Hub</title><p>Please log in</html>"


# -- bytes ---------------------------------------------------------------------------------------


def page_of(change: Callable[[bytes], bytes]) -> Change:
    """A page whose bytes are others."""
    return paging(EVIL, change=lambda _, page: change(page.encoded()))


def replacing(old: bytes, new: bytes) -> Change:
    """A page in which something stands for something else."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return page_of(change)


def answering(change: Callable[[Told], Told]) -> Change:
    """An answer that is another, rightly signed."""

    def attack(peer: Peer) -> None:
        peer.say(EVIL)
        peer.told = change

    return attack


def scripted(script: Callable[[Connection, Peer], None], path: str = "/ops") -> Change:
    """An answer that is sent byte for byte."""

    def attack(peer: Peer) -> None:
        peer.say(EVIL)
        peer.script, peer.scripted = script, path

    return attack


def nowhere(peer: Peer, page: Page) -> Page:
    """A page that shows a longer log and none of its entries."""
    return peer.log.page(page.start, page.start)


def _again(peer: Peer, _: Page) -> Page:
    return peer.log.page(0, 2)


def packed(times: int, said_so: str = "gzip") -> Change:
    """An answer that is packed so often."""

    def change(told: Told) -> Told:
        body = told.body
        for _each in range(times):
            body = gzip.compress(body, mtime=0)
        return replace(told, body=body, lines=(("Content-Encoding", said_so),))

    return answering(change)


def _bomb(told: Told) -> Told:
    body = gzip.compress(bytes(32 << 20), mtime=0)
    return replace(told, body=body, lines=(("Content-Encoding", "gzip"),))


def _many(_: Peer, page: Page) -> bytes:
    return changed(page, ops=[{}] * 1_000_000)


# -- what is sent --------------------------------------------------------------------------------


def _whole(connection: Connection, peer: Peer) -> bytes:
    """The honest answer, as it would go over the wire."""
    path = connection.head.split(b" ", 2)[1].decode().removeprefix("/fed/v1")
    return peer.rendered(connection, peer.answer(path))


def endless(connection: Connection, _: Peer) -> None:
    """A body without an end, and without a length."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    with suppress(OSError):
        for _megabyte in range(10_240):
            connection.send(MEGABYTE)


def _lengthened(more: int) -> Callable[[Connection, Peer], None]:
    """An answer that says that it is longer than it is, or shorter."""

    def script(connection: Connection, peer: Peer) -> None:
        head, blank, body = _whole(connection, peer).partition(b"\r\n\r\n")
        wrong = head.replace(
            b"Content-Length: %d" % len(body), b"Content-Length: %d" % (len(body) + more)
        )
        assert wrong != head
        connection.send(wrong + blank + body)

    return script


def _dripping(connection: Connection, peer: Peer) -> None:
    with suppress(OSError):
        for byte in _whole(connection, peer):
            connection.send(bytes([byte]))
            time.sleep(0.1)


def _half(connection: Connection, peer: Peer) -> None:
    whole = _whole(connection, peer)
    connection.send(whole[: len(whole) - 50])


def _hang_in_the_middle(connection: Connection, peer: Peer) -> None:
    _half(connection, peer)
    connection.hang()


def _reset_in_the_middle(connection: Connection, peer: Peer) -> None:
    _half(connection, peer)
    time.sleep(0.05)
    connection.reset()


def _headers(count: int) -> Callable[[Connection, Peer], None]:
    def script(connection: Connection, _: Peer) -> None:
        with suppress(OSError):
            connection.send(b"HTTP/1.1 200 OK\r\n")
            for _hundred in range(0, count, 100):
                connection.send(b"X: y\r\n" * 100)
            connection.send(b"Content-Length: 0\r\n\r\n")

    return script


def _lines(count: int) -> Callable[[Connection, Peer], None]:
    """The honest answer, rightly signed, with so many lines in its head."""

    def script(connection: Connection, peer: Peer) -> None:
        head, blank, body = _whole(connection, peer).partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        more = [b"X: y"] * (count - len(lines))
        connection.send(b"\r\n".join([first, *lines, *more]) + blank + body)

    return script


def _portal(connection: Connection, _: Peer) -> None:
    connection.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b"
        % (len(LOGIN), LOGIN)
    )


def _chunked(connection: Connection, peer: Peer) -> None:
    path = connection.head.split(b" ", 2)[1].decode().removeprefix("/fed/v1")
    response = peer.signed(connection, peer.answer(path))
    head = encoded(replace(response, body=b""), length=False).removesuffix(b"\r\n")
    body = response.body
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (body[at : at + 300] for at in range(0, len(body), 300))
    )
    connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")


GROUP = Group(
    "E",
    "Size, shape, speed",
    22,
    (
        Behaviour("E1", "10 GB body with no length", HTTP, TOO_LARGE, scripted(endless),
                  state=SAME, wire="zeros after the head, up to 10 GB; no Content-Length"),
        Behaviour("E1.tuf", "the same for a file of its identity", TIMESTAMP, TOO_LARGE,
                  scripted(endless, "/tuf/metadata/timestamp"), state=SAME,
                  wire="zeros after the head, up to 10 GB; no Content-Length"),
        Behaviour("E2", "Content-Length longer than the body", HTTP, UNREACHABLE,
                  scripted(_lengthened(100)), state=SAME, seconds=SOON,
                  wire="Content-Length is 100 too much, then the connection ends"),
        Behaviour("E3", "Content-Length shorter than the body", HTTP, UNREACHABLE,
                  scripted(_lengthened(-100)), state=SAME,
                  wire="Content-Length is 100 too little"),
        Behaviour("E4", "gzip bomb", HTTP, TOO_LARGE, answering(_bomb), state=SAME,
                  wire="32 MB of zeros, packed by gzip, signed as packed"),
        Behaviour("E5", "nested gzip, said once", HTTP, MALFORMED, packed(2), state=SAME,
                  wire="the page packed twice under Content-Encoding: gzip"),
        Behaviour("E5.said", "nested gzip, said twice", HTTP, TRANSPORT,
                  packed(2, "gzip, gzip"), state=SAME,
                  wire="the page packed twice under Content-Encoding: gzip, gzip"),
        Behaviour("E6", "a byte now and then", HTTP, UNREACHABLE, scripted(_dripping), state=SAME,
                  seconds=SOON, wire="the honest answer, a byte each 400 ms"),
        Behaviour("E7", "hang before the headers", HTTP, UNREACHABLE,
                  scripted(lambda connection, _: connection.hang()), state=SAME, seconds=SOON,
                  wire="nothing is answered, and the connection stays open"),
        Behaviour("E8", "hang in the body", HTTP, UNREACHABLE, scripted(_hang_in_the_middle),
                  state=SAME, seconds=SOON,
                  wire="the last 50 bytes are not sent, and the connection stays open"),
        Behaviour("E9", "reset in the body", HTTP, UNREACHABLE, scripted(_reset_in_the_middle),
                  state=SAME, wire="the last 50 bytes are not sent: the connection is reset"),
        Behaviour("E10", "JSON of depth 100,000", PAGE, MALFORMED,
                  page_of(lambda _: b"[" * 100_000 + b"]" * 100_000), state=SAME,
                  wire="100,000 opening and 100,000 closing brackets"),
        Behaviour("E10.less", "JSON of depth 300: read by some, and written by few", PAGE,
                  MALFORMED,
                  replacing(b'"from":4', b'"from":' + b"[" * 300 + b"]" * 300), state=SAME),
        Behaviour("E11", "number of 5,000 digits", PAGE, MALFORMED,
                  replacing(b'"from":4', b'"from":' + b"4" * 5_000), state=SAME),
        Behaviour("E12", "NaN", PAGE, MALFORMED, replacing(b'"from":4', b'"from":NaN'),
                  state=SAME),
        Behaviour("E12.infinity", "Infinity", PAGE, MALFORMED,
                  replacing(b'"from":4', b'"from":-Infinity'), state=SAME),
        Behaviour("E13", "duplicate keys", PAGE, Alarm.NON_CANONICAL,
                  replacing(b'"from":4', b'"from":0,"from":4'), state=SAME),
        Behaviour("E14", "lone surrogate", PAGE, MALFORMED,
                  replacing(b'"from":4', b'"from":"\\ud800"'), state=SAME),
        Behaviour("E15", "NUL in a word", OPS, MALFORMED,
                  telling("body.words.list", "a\0b")),
        Behaviour("E15.raw", "NUL behind the page", PAGE, MALFORMED,
                  page_of(lambda data: data + b"\0"), state=SAME),
        Behaviour("E16", "invalid UTF-8", PAGE, MALFORMED,
                  replacing(b'"from":4', b'"from":"\xff\xfe"'), state=SAME),
        Behaviour("E17", "byte order mark", PAGE, MALFORMED,
                  page_of(lambda data: b"\xef\xbb\xbf" + data), state=SAME),
        Behaviour("E18", "page of 1,000,000 entries", PAGE, MALFORMED,
                  paging(EVIL, change=_many), state=SAME,
                  wire="the member ops is a list of 1,000,000 empty objects"),
        Behaviour("E19", "pages that never end: each leads nowhere", PAGE, Alarm.GAP,
                  paging(EVIL, said(81), change=nowhere), state=SAME),
        Behaviour("E20", "pages that repeat", PAGE, Alarm.GAP, paging(EVIL, change=_again),
                  state=SAME),
        Behaviour("E21", "HTML with status 200, signed", HTTP, TRANSPORT,
                  answering(lambda _: Told(LOGIN, media_type="text/html")), state=SAME),
        Behaviour("E21.json", "the same, said to be JSON", HTTP, MALFORMED,
                  answering(lambda _: Told(LOGIN)), state=SAME),
        Behaviour("E21.portal", "HTML with status 200 of somebody on the way", HTTP, TRANSPORT,
                  scripted(_portal), state=SAME, wire="a page of text/html, not signed"),
        Behaviour("E22", "1,000,000 response headers", HTTP, TOO_LARGE,
                  scripted(_headers(1_000_000)), state=SAME, wire="1,000,000 lines X: y"),
        Behaviour("E22.few", "101 response headers", HTTP, TOO_LARGE, scripted(_lines(101)),
                  state=SAME, wire="the honest answer, signed, with lines X: y up to 101"),
        Behaviour("E22.most", "100 response headers, as many as there may be", HTTP, None,
                  scripted(_lines(100)), state=State.ACCEPTED,
                  wire="the honest answer, signed, with lines X: y up to 100"),
        Behaviour("E23", "packed once by gzip, as was asked for", HTTP, None, packed(1),
                  state=State.ACCEPTED, wire="the page packed once under Content-Encoding: gzip"),
        Behaviour("E24", "in chunks", HTTP, None, scripted(_chunked), state=State.ACCEPTED,
                  wire="Transfer-Encoding: chunked, 300 bytes each"),
    ),
)  # fmt: skip
