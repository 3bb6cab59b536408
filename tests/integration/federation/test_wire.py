# SPDX-License-Identifier: Apache-2.0
"""Whatever a partner does, we are told so in good time, and the next honest answer is taken."""

import gzip
import ssl
import time
from dataclasses import replace

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.transport.addresses import Allowance, Base
from federation.transport.heads import LONGEST_WAIT
from federation.transport.http import HttpWire, public_tls
from federation.transport.memory import MemoryNonces
from federation.transport.messages import Request, Response
from federation.transport.signatures import Signing, served_url, signed_response, verified
from tests.simulators.scripted import Scripted, answering, saying
from tests.support.certificates import Authority
from tests.support.signing import signer

NAME = "hub-b.example"
OURS, THEIRS = Signing("hub-a#1", signer(1)), Signing("hub-b#1", signer(2))
MAX = 2000  # bytes; a bomb is smaller
PATIENCE = 60.0  # seconds that nothing honest comes near
SHORT = 0.3  # seconds in which nothing false ends by itself
LOOPBACK = Allowance(loopback=True)
HONEST = answering(b"honest", "Content-Type: text/plain")
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def plain():
    with Scripted(HONEST) as partner:
        yield partner


@pytest.fixture
def partner(plain):
    plain.script, plain.reads, plain.connections = HONEST, True, 0
    plain.requests.clear()
    return plain


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def tls(authority):
    return authority.trusting(public_tls())


@pytest.fixture
def wire(partner, tls):
    return wire_to(partner, tls)


def wire_to(partner, tls, **options):
    base = Base("http", "localhost", partner.port)
    return HttpWire(base, **{"tls": tls, "allowance": LOOPBACK, "resolve": here, **options})


def here(_name, _port):
    return ["127.0.0.1"]


def get(wire, *, seconds=PATIENCE, max_bytes=MAX):
    return wire.get("/log/checkpoint", max_bytes=max_bytes, seconds=seconds)


def refusal(wire, **options):
    with pytest.raises(RefusedError) as refused:
        get(wire, **options)
    return refused.value.alarm


def failure(wire, **options):
    with pytest.raises(TransportError) as failed:
        get(wire, **options)
    return failed.value


def assert_honest_after(partner, wire):
    partner.script, partner.reads = HONEST, True
    answer = get(wire)
    assert (answer.status, answer.body, answer.media_type) == (200, b"honest", "text/plain")


# -- what is honest ------------------------------------------------------------------------------


def test_an_honest_answer_is_taken(partner, wire):
    assert_honest_after(partner, wire)

    (asked,) = partner.requests
    assert asked.head.startswith(b"GET /log/checkpoint HTTP/1.1\r\n")
    assert asked.header("host") == f"localhost:{partner.port}"
    assert asked.header("accept-encoding") == "gzip"


def test_a_body_is_sent_as_it_is(partner, wire):
    body = bytes(range(256)) * 400

    wire.post("/ops", body, media_type="application/x-ndjson", max_bytes=MAX, seconds=PATIENCE)

    (asked,) = partner.requests
    assert asked.body == body
    assert asked.header("content-type") == "application/x-ndjson"


@pytest.mark.parametrize(
    ("script", "body"),
    [
        (answering(gzip.compress(b"x" * MAX), "Content-Encoding: gzip"), b"x" * MAX),
        (answering(b"x" * MAX), b"x" * MAX),
        (answering(b""), b""),
        (saying(OK + b"\r\nuntil the end"), b"until the end"),
        (
            saying(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
            b"abcd",
        ),
    ],
)
def test_every_honest_way_to_send_a_body_is_taken(partner, wire, script, body):
    partner.script = script

    assert get(wire).body == body


@pytest.mark.parametrize("status", ["400 x", "403 x", "404 x", "409 x", "410 x", "422 x"])
def test_a_refusal_is_an_answer_and_is_asked_for_once(partner, wire, status):
    partner.script = answering(b"no", "Content-Type: Application/Problem+JSON; x=y", status=status)

    answer = get(wire)

    assert (answer.status, answer.body) == (int(status[:3]), b"no")
    assert answer.media_type == "application/problem+json"
    assert partner.connections == 1


def test_a_wrong_content_type_is_for_the_caller_to_see(partner, wire):
    partner.script = answering(b"<html>", "Content-Type: text/html; charset=utf-8")

    assert get(wire).media_type == "text/html"


# -- size, shape, speed --------------------------------------------------------------------------


def endlessly(data, pause=0.0, first=b""):
    def script(connection):
        connection.send(first)
        while True:
            connection.send(data)
            time.sleep(pause)

    return script


def then_hang(data):
    def script(connection):
        connection.send(data)
        connection.hang()

    return script


def then_reset(data):
    def script(connection):
        connection.send(data)
        connection.reset()

    return script


BOMB = gzip.compress(bytes(900_000))
NESTED = gzip.compress(gzip.compress(b"honest"))
KILO = b"x" * 1000

TOO_LARGE = {
    "no length, 10 GB": endlessly(KILO * 64, first=OK + b"\r\n"),
    "10 GB, and says so": endlessly(KILO, first=OK + b"Content-Length: 10000000000\r\n\r\n"),
    "chunks without end": endlessly(
        b"3e8\r\n" + KILO + b"\r\n", first=OK + b"Transfer-Encoding: chunked\r\n\r\n"
    ),
    "one byte too many": answering(b"x" * (MAX + 1)),
    "a gzip bomb": answering(BOMB, "Content-Encoding: gzip"),
    "a million headers": saying(OK + b"".join(b"X-%d: y\r\n" % n for n in range(1_000_000))),
    "headers without end": endlessly(b"X: y\r\n" * 1000, first=OK),
    "one header without end": endlessly(KILO, first=OK + b"X: "),
    "a status line without end": endlessly(KILO, first=b"HTTP/1.1 200 "),
    "more headers than anybody needs": answering(b"", *["X: y"] * 101),
}


@pytest.mark.parametrize("behaviour", TOO_LARGE)
def test_what_is_too_large_is_refused_before_it_is_all_here(partner, wire, behaviour):
    partner.script = TOO_LARGE[behaviour]

    assert refusal(wire) is Alarm.TOO_LARGE

    assert_honest_after(partner, wire)


FALSE = {
    "less than it says": saying(OK + b"Content-Length: 10\r\n\r\nshort"),
    "more than it says": saying(OK + b"Content-Length: 3\r\n\r\nlonger"),
    "two lengths": saying(OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nlonger"),
    "a length below nothing": saying(OK + b"Content-Length: -1\r\n\r\n"),
    "a length of 5,000 digits": saying(OK + b"Content-Length: %b\r\n\r\n" % (b"1" * 5000)),
    "a length and chunks": saying(
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ),
    "chunks that break off": saying(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"),
    "chunks of no size": saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "an encoding of the transfer that nobody knows": saying(
        OK + b"Transfer-Encoding: gzip\r\n\r\n"
    ),
    "nothing": saying(b""),
    "half a head": saying(OK + b"Content-"),
    "no HTTP": saying(b"220 mail.example ESMTP\r\n\r\n"),
    "HTTP before it had a head": saying(b"<html>\n\n</html>"),
    "a header with a NUL": saying(OK + b"X: \0\r\n\r\n"),
    "a folded name": saying(OK + b"X : y\r\nContent-Length: 0\r\n\r\n"),
    "a reset before the head": then_reset(b""),
    "a reset in the head": then_reset(OK),
    "a reset in the body": then_reset(OK + b"Content-Length: 10\r\n\r\nshort"),
}


@pytest.mark.parametrize("behaviour", FALSE)
def test_what_is_no_http_may_come_right_later(partner, wire, behaviour):
    partner.script = FALSE[behaviour]

    assert failure(wire).retry_after == 0

    assert_honest_after(partner, wire)


SLOW = {
    "a byte each 400 ms": endlessly(b"x", 0.4, first=OK + b"\r\n"),
    "a byte each 10 ms": endlessly(b"x", 0.01, first=OK + b"\r\n"),
    "a byte of the head each 10 ms": endlessly(b"x", 0.01, first=OK + b"X: "),
    "an empty chunk's extension each 10 ms": endlessly(
        b"x", 0.01, first=OK + b"Transfer-Encoding: chunked\r\n\r\n1;"
    ),
    "nothing before the head": then_hang(b""),
    "half a head": then_hang(OK),
    "nothing in the body": then_hang(OK + b"Content-Length: 10\r\n\r\n"),
    "half a body": then_hang(OK + b"Content-Length: 10\r\n\r\nshort"),
    "a body that does not end": then_hang(OK + b"\r\nall of it"),
}


@pytest.mark.parametrize("behaviour", SLOW)
def test_a_partner_that_is_slow_is_cut(partner, wire, behaviour):
    partner.script = SLOW[behaviour]

    assert "too long" in str(failure(wire, seconds=SHORT))

    assert_honest_after(partner, wire)


def test_a_partner_that_does_not_read_is_cut(partner, wire):
    partner.reads, partner.script = False, lambda _connection: time.sleep(2 * SHORT)

    with pytest.raises(TransportError, match="too long"):
        wire.post("/ops", bytes(50_000_000), media_type="x/y", max_bytes=MAX, seconds=SHORT)

    assert_honest_after(partner, wire)


def test_an_answer_that_comes_before_all_was_sent_is_taken(partner, wire):
    def script(connection):
        answering(b"too much", status="413 Content Too Large")(connection)
        connection.hang()

    partner.reads, partner.script = False, script

    answer = wire.post("/ops", bytes(5_000_000), media_type="x/y", max_bytes=MAX, seconds=PATIENCE)

    assert (answer.status, answer.body) == (413, b"too much")


def test_a_partner_may_hang_up_while_we_speak(partner, wire):
    partner.reads, partner.script = False, then_reset(b"")

    with pytest.raises(TransportError):
        wire.post("/ops", bytes(50_000_000), media_type="x/y", max_bytes=MAX, seconds=PATIENCE)

    assert_honest_after(partner, wire)


REFUSED = {
    "gzip twice": answering(NESTED, "Content-Encoding: gzip, gzip"),
    "gzip twice, in two lines": answering(NESTED, *["Content-Encoding: gzip"] * 2),
    "another packing": answering(b"x", "Content-Encoding: br"),
    "a packing that is none": answering(b"x", "Content-Encoding: gzip"),
    "half of a packed body": answering(gzip.compress(KILO)[:-9], "Content-Encoding: gzip"),
    "two types": answering(b"x", "Content-Type: text/plain", "Content-Type: text/html"),
}


@pytest.mark.parametrize("behaviour", REFUSED)
def test_what_nobody_asked_for_is_refused(partner, wire, behaviour):
    partner.script = REFUSED[behaviour]

    assert refusal(wire) is Alarm.TRANSPORT

    assert_honest_after(partner, wire)


# -- protocol ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        f"{number} x"
        for number in (100, 103, 101, 206, 300, 301, 302, 303, 304, 307, 308, 399, 600)
    ],
)
def test_a_status_that_is_no_answer_is_refused(partner, wire, status):
    partner.script = answering(b"", status=status)

    assert refusal(wire) is Alarm.TRANSPORT

    assert_honest_after(partner, wire)


def test_answers_before_the_answer_do_not_go_on_for_ever(partner, wire):
    partner.script = endlessly(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    assert refusal(wire) is Alarm.TRANSPORT


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:{}/", "//localhost:{}/x", "https://hub-c.example/", "/log/checkpoint"],
)
def test_no_redirect_is_followed(partner, wire, status, place):
    with Scripted(HONEST) as elsewhere:
        partner.script = answering(b"", f"Location: {place.format(elsewhere.port)}", status=status)

        assert refusal(wire) is Alarm.TRANSPORT

        assert (elsewhere.connections, partner.connections) == (0, 1)
    assert_honest_after(partner, wire)


YEARS = 10 * 365 * 86400


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7.0),
        (str(YEARS), LONGEST_WAIT),
        ("9" * 5000, LONGEST_WAIT),
        ("-7", 0.0),
        ("7.5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("٧", 0.0),  # noqa: RUF001  # a digit to Python, none to HTTP
        ("Thu, 01 Jan 1970 00:01:07 GMT", 7.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Thu, 01 Jan 1970 00:00:07 GMT", 0.0),
    ],
)
@pytest.mark.parametrize("status", ["429 x", "503 x"])
def test_a_partner_may_ask_us_to_wait_but_not_for_years(partner, tls, status, value, wait):
    wire = wire_to(partner, tls, now=lambda: 60.0)
    partner.script = answering(b"", f"Retry-After: {value}", status=status)

    assert failure(wire).retry_after == wait

    assert_honest_after(partner, wire)


@pytest.mark.parametrize("status", ["401 x", "500 x", "502 x", "504 x", "599 x"])
def test_a_partner_in_trouble_is_asked_again_later(partner, wire, status):
    partner.script = answering(b"trouble", status=status)

    assert failure(wire).retry_after == 0

    assert_honest_after(partner, wire)


def test_nothing_is_kept_between_requests(partner, wire):
    partner.script = answering(
        b"", "Set-Cookie: a=b; Path=/", 'ETag: "1"', "Connection: keep-alive"
    )
    get(wire)
    get(wire)

    assert partner.connections == 2
    first, second = partner.requests
    assert first.head == second.head
    assert not second.header("cookie")
    assert not second.header("if-none-match")


def test_the_environment_is_not_asked(partner, wire, monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    assert_honest_after(partner, wire)
    assert public_tls().keylog_filename is None


@pytest.mark.parametrize("path", ["/a\r\nX: y", "//a b", "/../x", "x", "http://127.0.0.1/"])
def test_a_path_that_leads_elsewhere_is_not_asked_for(partner, wire, path):
    with pytest.raises(RefusedError):
        wire.get(path, max_bytes=MAX, seconds=PATIENCE)

    assert partner.connections == 0


# -- addresses -----------------------------------------------------------------------------------


def test_loopback_is_not_asked_unless_an_operator_allows_it(partner, tls):
    assert refusal(wire_to(partner, tls, allowance=Allowance())) is Alarm.TRANSPORT

    assert partner.connections == 0


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_a_name_for_loopback_is_still_loopback(partner, tls, name):
    base = Base.parse(f"https://{name}:{partner.port}")

    assert refusal(HttpWire(base, tls=tls)) is Alarm.TRANSPORT

    assert partner.connections == 0


def test_a_name_that_changes_to_loopback_is_refused(partner, tls):
    answers = [["203.0.113.1"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"]]
    wire = wire_to(partner, tls, allowance=Allowance(), resolve=lambda *_: answers.pop(0))

    while answers:
        assert refusal(wire) is Alarm.TRANSPORT

    assert partner.connections == 0


def test_a_name_is_resolved_once_and_what_was_looked_at_is_connected_to(partner, tls):
    asked = []

    def changing(name, _port):
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    base = Base("http", "hub-b.invalid", partner.port)  # no resolver but ours knows it
    wire = HttpWire(base, tls=tls, allowance=LOOPBACK, resolve=changing)

    assert get(wire).body == b"honest"
    assert asked == ["hub-b.invalid"]
    assert partner.requests[0].header("host") == f"hub-b.invalid:{partner.port}"
    failure(wire)  # nobody listens there: it was asked anew, and looked at anew


def test_an_address_that_does_not_answer_leaves_the_next_one(partner, tls):
    wire = wire_to(partner, tls, resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])

    assert_honest_after(partner, wire)


def test_an_address_of_version_6_is_written_in_brackets(tls):
    try:
        partner = Scripted(HONEST, address="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with partner:
        base = Base.parse(f"http://[::1]:{partner.port}")
        wire = HttpWire(base, tls=tls, allowance=LOOPBACK)

        assert_honest_after(partner, wire)
        assert partner.requests[0].header("host") == f"[::1]:{partner.port}"


def test_a_name_that_cannot_be_resolved_may_be_later(partner, tls):
    def nobody(_name, _port):
        raise OSError("no such name")

    failure(wire_to(partner, tls, resolve=nobody))
    failure(wire_to(partner, tls, resolve=lambda *_: []))

    assert_honest_after(partner, wire_to(partner, tls))


def test_a_resolver_that_hangs_is_cut(partner, tls):
    def slow(_name, _port):
        time.sleep(2 * SHORT)
        return ["127.0.0.1"]

    assert "too long" in str(failure(wire_to(partner, tls, resolve=slow), seconds=SHORT))


def test_nobody_listens(tls):
    with Scripted(HONEST) as gone:
        wire = wire_to(gone, tls)

    failure(wire)


# -- TLS -----------------------------------------------------------------------------------------


def secure_wire(partner, tls, name=NAME):
    base = Base("https", name, partner.port)
    return HttpWire(base, tls=tls, allowance=LOOPBACK, resolve=here)


def test_a_partner_with_a_true_certificate_is_heard(authority, tls, tmp_path):
    with Scripted(HONEST, tls=authority.serving(tmp_path, NAME)) as partner:
        assert_honest_after(partner, secure_wire(partner, tls))


@pytest.mark.parametrize(
    "false",
    [
        lambda authority, folder: authority.serving(folder, NAME, (-3, -1)),
        lambda authority, folder: authority.serving(folder, NAME, (1, 3)),
        lambda authority, folder: authority.serving(folder, "hub-c.example"),
        lambda authority, folder: authority.serving(folder, NAME, itself=True),
        lambda _authority, folder: Authority("Another").serving(folder, NAME),
        lambda _authority, folder: Authority("A test").serving(folder, NAME),
    ],
    ids=["expired", "not yet", "wrong name", "self-signed", "unknown", "same name, other key"],
)
def test_a_false_certificate_is_refused_and_nothing_is_said(authority, tls, tmp_path, false):
    with Scripted(HONEST, tls=false(authority, tmp_path)) as partner:
        assert refusal(secure_wire(partner, tls)) is Alarm.TRANSPORT

        assert not partner.requests


def test_an_old_tls_is_not_spoken(authority, tls, tmp_path):
    old = authority.serving(tmp_path, NAME)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with Scripted(HONEST, tls=old) as partner:
        failure(secure_wire(partner, tls))


def test_a_partner_that_does_not_speak_tls_is_not_heard(partner, tls):
    partner.reads, partner.script = False, saying(OK + b"\r\n")

    failure(secure_wire(partner, tls))


@pytest.mark.parametrize("script", [then_hang(b""), endlessly(b"\x16", 0.01)])
def test_a_handshake_that_does_not_end_is_cut(partner, tls, script):
    partner.reads, partner.script = False, script

    failure(secure_wire(partner, tls), seconds=SHORT)


@pytest.mark.parametrize("behaviour", SLOW)
def test_a_partner_that_is_slow_is_cut_behind_tls_too(authority, tls, tmp_path, behaviour):
    with Scripted(SLOW[behaviour], tls=authority.serving(tmp_path, NAME)) as partner:
        wire = secure_wire(partner, tls)

        assert "too long" in str(failure(wire, seconds=2 * SHORT))

        assert_honest_after(partner, wire)


# -- signatures ----------------------------------------------------------------------------------


def known(key_id):
    return {one.key_id: one.signer.public for one in (OURS, THEIRS)}.get(key_id)


class SigningPartner:
    """Verifies what it is asked, and signs what it answers."""

    def __init__(self, port):
        self.public_url = f"http://localhost:{port}"
        self.nonces = MemoryNonces(time.time)
        self.told = []  # what it answered, signed
        self.signing = THEIRS

    def request(self, connection):
        method, target, _ = connection.head.split(b"\r\n")[0].decode().split(" ")
        url = served_url(self.public_url, target)
        return Request(method, url, connection.lines, connection.body)

    def __call__(self, connection):
        asked = self.request(connection)
        assert verified(asked, known, self.nonces, time.time()) == OURS.key_id
        self.told.append(self.signed(Response(200, (("Content-Type", "x/y"),), b"told"), asked))
        self.send(connection, self.told[-1])

    def signed(self, response, asked):
        return signed_response(response, asked, self.signing, created=int(time.time()))

    @staticmethod
    def send(connection, response):
        answering(response.body, *(f"{name}: {value}" for name, value in response.headers))(
            connection
        )


@pytest.fixture
def signing(partner):
    partner.script = SigningPartner(partner.port)
    return partner.script


@pytest.fixture
def signed_wire(partner, tls):
    return wire_to(partner, tls, signing=OURS, keys=known)


def test_both_sign_and_both_are_believed(signing, signed_wire):
    assert get(signed_wire).body == b"told"
    answer = signed_wire.post("/x?a=b", b"{}", media_type="x/y", max_bytes=MAX, seconds=PATIENCE)
    assert answer.body == b"told"
    assert len(signing.told) == 2


def test_a_packed_answer_is_verified_as_it_came(partner, signing, signed_wire):
    def script(connection):
        headers = (("Content-Type", "x/y"), ("Content-Encoding", "gzip"))
        packed = Response(200, headers, gzip.compress(b"told"))
        signing.send(connection, signing.signed(packed, signing.request(connection)))

    partner.script = script

    assert get(signed_wire).body == b"told"


def test_an_answer_that_nobody_signed_is_refused(partner, signed_wire):
    partner.script = HONEST

    assert refusal(signed_wire) is Alarm.TRANSPORT


def test_an_answer_of_an_earlier_request_is_refused(partner, signing, signed_wire):
    get(signed_wire)
    (earlier,) = signing.told
    partner.script = lambda connection: signing.send(connection, earlier)

    assert refusal(signed_wire) is Alarm.TRANSPORT

    partner.script = signing
    assert get(signed_wire).body == b"told"


def test_an_answer_to_another_hub_is_refused(partner, signing, tls, signed_wire):
    get(wire_to(partner, tls, signing=OURS))  # as another tenant would
    (theirs,) = signing.told
    partner.script = lambda connection: signing.send(connection, theirs)

    assert refusal(signed_wire) is Alarm.TRANSPORT


def test_an_answer_of_another_key_is_refused(signing, signed_wire):
    signing.signing = Signing("hub-c#1", signer(3))

    assert refusal(signed_wire) is Alarm.TRANSPORT


@pytest.mark.parametrize(
    "change",
    [
        lambda told: replace(told, body=b"lies"),
        lambda told: replace(told, headers=(("Content-Type", "text/html"), *told.headers[1:])),
    ],
)
def test_an_answer_that_was_changed_on_its_way_is_refused(partner, signing, signed_wire, change):
    def script(connection):
        told = signing.signed(
            Response(200, (("Content-Type", "x/y"),), b"told"), signing.request(connection)
        )
        signing.send(connection, change(told))

    partner.script = script

    assert refusal(signed_wire) is Alarm.TRANSPORT


def test_a_request_that_is_sent_again_is_known(partner, signing, signed_wire):
    get(signed_wire)
    (asked,) = partner.requests

    with pytest.raises(RefusedError) as refused:
        verified(signing.request(asked), known, signing.nonces, time.time())

    assert refused.value.alarm is Alarm.REPLAYED


def test_answers_cannot_be_signed_for_nobody(tls, partner):
    with pytest.raises(ValueError, match="signed"):
        wire_to(partner, tls, keys=known)
