# SPDX-License-Identifier: Apache-2.0
"""The way to a partner over HTTP, who may be slow, false or in somebody else's hands.

One connection for each request, below httpx2's own client: so there are no cookies, no redirects,
no proxies and nothing of the environment to switch off, and an answer's bytes stay as they came
until they are verified.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from secrets import token_bytes

import httpcore2

from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.ports import Answer
from federation.transport.addresses import Allowance, Base
from federation.transport.heads import (
    check_status,
    length_of,
    lines,
    media_type,
    retry_after,
    value,
)
from federation.transport.messages import Request, Response
from federation.transport.signatures import (
    Keys,
    Signing,
    new_nonce,
    signed_request,
    verify_response,
)
from federation.transport.sockets import Budget, GuardedBackend, Resolve, system_resolve
from federation.transport.unpacking import unpacked


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
        body = unpacked(came.body, value(came, "content-encoding"), max_bytes)
        return Answer(came.status, body, media_type(came))

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
        return [(name.encode(), said.encode()) for name, said in (*ours, *asked.headers)]

    def _read(
        self, found: httpcore2.Response, backend: GuardedBackend, max_bytes: int
    ) -> Response:
        came = Response(found.status, lines(found.headers))
        # 1. The status, before anything else that it says: what is no answer has no body.
        check_status(came.status, retry_after(value(came, "retry-after"), self._now()))
        # 2. How long it says it is, before any of it is read.
        length = length_of(came)
        if length is not None and length > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "an answer is larger than was asked for")
        # 3. The body, and no more of it than was asked for, whatever was said.
        body = _bounded(found.iter_stream(), max_bytes)
        if length is not None and backend.incoming.of_body > length:
            raise TransportError("an answer is longer than it says")
        return Response(came.status, came.headers, body)


def _bounded(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "an answer is larger than was asked for")
    return bytes(body)
