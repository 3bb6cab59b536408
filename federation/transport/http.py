# SPDX-License-Identifier: Apache-2.0
"""The way to a partner over HTTP, who may be slow, false or in somebody else's hands.

One connection for each request, below httpx2's own client: so there are no cookies, no redirects,
no proxies and nothing of the environment to switch off, and an answer's bytes stay as they came
until they are verified.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from email.utils import parsedate_to_datetime
from secrets import token_bytes

import httpcore2

from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.ports import Answer
from federation.transport.addresses import Allowance, Base
from federation.transport.signatures import (
    Keys,
    Request,
    Response,
    Signing,
    new_nonce,
    signed_request,
    verify_response,
)
from federation.transport.sockets import Budget, GuardedBackend, Resolve, system_resolve
from federation.transport.unpacking import unpacked

MAX_LINES = 100  # of an answer's head
LONGEST_WAIT = 3600.0  # seconds that a partner may ask us to stay away
_PARTIAL, _TOO_MANY = 206, 429
_SECONDS_DIGITS = 9
_LENGTH = re.compile(r"[0-9]{1,15}")


def public_tls() -> ssl.SSLContext:
    """TLS that trusts whom the system trusts."""
    # Not ssl.create_default_context(): it writes keys to a file that the environment names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


class HttpWire:
    """``Wire`` over the network; any thread may use it.

    Args:
        base: where the partner is; nobody else is ever asked.
        tls: whom to trust; see ``public_tls``.
        signing: who signs our requests; None: nobody, for what is public.
        keys: those the partner signs its answers with; None: they are not signed, or verify
            themselves. Only an answer to a signed request can be.
        allowance: what addresses the operator allows beyond the public network.
        resolve: asks for addresses.
        now: seconds since 1970.
        clock: one that only goes forward.
        random_bytes: for nonces.
    """

    def __init__(
        self,
        base: Base,
        *,
        tls: ssl.SSLContext,
        signing: Signing | None = None,
        keys: Keys | None = None,
        allowance: Allowance = Allowance(),  # noqa: B008  # it is a frozen value
        resolve: Resolve = system_resolve,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        random_bytes: Callable[[int], bytes] = token_bytes,
    ) -> None:
        if keys is not None and signing is None:
            raise ValueError("only an answer to a signed request can be signed")
        self._base, self._tls = base, tls
        self._signing, self._keys = signing, keys
        self._allowance, self._resolve = allowance, resolve
        self._now, self._clock, self._random_bytes = now, clock, random_bytes

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:
        """See ``Wire``."""
        request = Request("GET", self._base.url(path))
        return self._exchange(request, path, max_bytes, seconds)

    def post(
        self, path: str, body: bytes, *, media_type: str, max_bytes: int, seconds: float
    ) -> Answer:
        """See ``Wire``."""
        headers = (("Content-Type", media_type), ("Content-Length", str(len(body))))
        request = Request("POST", self._base.url(path), headers, body)
        return self._exchange(request, path, max_bytes, seconds)

    def _exchange(self, request: Request, path: str, max_bytes: int, seconds: float) -> Answer:
        budget = Budget(seconds, self._clock)
        asked = self._signed(request)
        came = self._sent(asked, self._base.target(path), max_bytes, budget)
        # Before it is unpacked: bytes stay as they came until they are verified.
        self._verify(came, asked)
        body = unpacked(came.body, _value(came, "content-encoding"), max_bytes)
        return Answer(came.status, body, _media_type(came))

    def _signed(self, request: Request) -> Request:
        if self._signing is None:
            return request
        nonce = new_nonce(self._random_bytes)
        return signed_request(request, self._signing, created=int(self._now()), nonce=nonce)

    def _verify(self, came: Response, asked: Request) -> None:
        if self._keys is None:
            return
        try:
            verify_response(came, asked, self._keys, self._now())
        except RefusedError as error:
            raise RefusedError(Alarm.TRANSPORT, "the partner did not sign its answer") from error

    def _sent(self, asked: Request, target: str, max_bytes: int, budget: Budget) -> Response:
        backend = GuardedBackend(self._base, self._allowance, self._resolve, budget)
        url = httpcore2.URL(
            scheme=self._base.scheme, host=self._base.host, port=self._base.port, target=target
        )
        request = httpcore2.Request(
            asked.method, url, headers=self._head(asked), content=asked.body
        )
        try:
            with closing(
                httpcore2.HTTPConnection(
                    url.origin, ssl_context=self._tls, network_backend=backend
                )
            ) as connection:
                return self._read(connection.handle_request(request), backend, max_bytes)
        except FederationError:
            raise
        except (
            httpcore2.ProtocolError,
            httpcore2.NetworkError,
            httpcore2.TimeoutException,
        ) as error:
            raise TransportError("the partner does not speak HTTP as it should") from error

    def _head(self, asked: Request) -> list[tuple[bytes, bytes]]:
        ours = (
            ("Host", self._base.authority),
            ("User-Agent", "breakwater"),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
        )
        return [(name.encode(), value.encode()) for name, value in (*ours, *asked.headers)]

    def _read(
        self, found: httpcore2.Response, backend: GuardedBackend, max_bytes: int
    ) -> Response:
        came = Response(found.status, _lines(found.headers))
        # 1. The status, before anything else that it says: what is no answer has no body.
        self._check_status(came)
        # 2. How long it says it is, before any of it is read.
        length = _length(came)
        if length is not None and length > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "an answer is larger than was asked for")
        # 3. The body, and no more of it than was asked for, whatever was said.
        body = _bounded(found.iter_stream(), max_bytes)
        if length is not None and backend.incoming.of_body > length:
            raise TransportError("an answer is longer than it says")
        return Response(came.status, came.headers, body)

    def _check_status(self, came: Response) -> None:
        if came.status == _TOO_MANY or 500 <= came.status < 600:  # noqa: PLR2004  # RFC 9110's
            wait = _retry_after(_value(came, "retry-after"), self._now())
            raise TransportError(f"the partner answered {came.status}", wait)
        is_ours = 200 <= came.status < 300 or 400 <= came.status < 500  # noqa: PLR2004  # the same
        if not is_ours or came.status == _PARTIAL:
            raise RefusedError(Alarm.TRANSPORT, f"nobody asked for an answer of {came.status}")


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    lines = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    if len(lines) > MAX_LINES:
        raise RefusedError(Alarm.TOO_LARGE, "the head of an answer has too many lines")
    return lines


def _value(came: Response, name: str) -> str:
    """A header's value; of two, another reader might take the other.

    Raises:
        RefusedError: TRANSPORT: It is there twice.
    """
    values = [value.strip() for known, value in came.headers if known.lower() == name]
    if len(values) > 1:
        raise RefusedError(Alarm.TRANSPORT, "an answer says the same thing twice")
    return values[0] if values else ""


def _length(came: Response) -> int | None:
    """How long its body says it is, if it does.

    Raises:
        TransportError: It says so in two ways, or in none that can be understood.
    """
    length = _value(came, "content-length")
    if not length:
        return None
    if _value(came, "transfer-encoding") or not _LENGTH.fullmatch(length):
        raise TransportError("an answer does not say in one way how long it is")
    return int(length)


def _bounded(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "an answer is larger than was asked for")
    return bytes(body)


def _media_type(came: Response) -> str:
    return _value(came, "content-type").partition(";")[0].strip().lower()


def _retry_after(value: str, now: float) -> float:
    """Seconds that a partner asks us to wait; nobody may silence us for years."""
    if value.isascii() and value.isdigit():
        longest = "9" * _SECONDS_DIGITS
        return min(float(value if len(value) <= _SECONDS_DIGITS else longest), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(until - now, 0.0), LONGEST_WAIT)
