# SPDX-License-Identifier: Apache-2.0
"""Who sent a request, and that an answer belongs to it: our profile of RFC 9421; no I/O.

A request's signature covers its method, its whole URL and, if it has a body, the body's digest and
type; it names its key, is good for a minute, and once. An answer's covers its status, digest and
type, and the request that it answers by that request's own signature, so that no answer can be
kept for another. https://www.rfc-editor.org/rfc/rfc9421

Steps of verification are numbered; the memory of nonces is asked last, so that nobody whose
signature is false can fill it.
"""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from federation.errors import Alarm, RefusedError
from federation.keys import PublicKey, Signer
from federation.ports import Nonces
from federation.transport.claims import DIGEST, ENCODING, TAG, TYPE, WINDOW, Claim, fields_of
from federation.transport.messages import Headers, Request, Response

_LABEL = "breakwater"
_NONCE_BYTES = 16

_OF_REQUEST = ("@method", "@authority", "@target-uri")
_OF_BODY = (DIGEST, TYPE)
_OF_ANSWER = ("@status", *_OF_BODY)
_OF_ITS_REQUEST = ('"@method";req', '"@target-uri";req', '"signature";req')

_PATH = r"/[\x21\x22\x24-\x7e]*"  # printed, without a fragment
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+" + _PATH)

Keys = Callable[[str], PublicKey | None]
"""Gives the key of an id, if it is known and may sign requests."""


@dataclass(frozen=True)
class Signing:
    """Who signs requests or answers, and the id under which its partners know its key."""

    key_id: str
    signer: Signer


def new_nonce(random_bytes: Callable[[int], bytes]) -> str:
    """A nonce that nobody guesses or repeats."""
    return base64.urlsafe_b64encode(random_bytes(_NONCE_BYTES)).rstrip(b"=").decode()


def served_url(public_url: str, target: str) -> str:
    """The URL of a request to us: where we are is for our operator to say, not for its Host.

    Args:
        public_url: where our partners find us; without a path.
        target: of the request line, as it came: nothing unescaped.

    Raises:
        RefusedError: TRANSPORT: the target is no path.
    """
    if not re.fullmatch(_PATH, target):
        raise RefusedError(Alarm.TRANSPORT, "a request's target is no path")
    return public_url.removesuffix("/") + target


def signed_request(request: Request, signing: Signing, *, created: int, nonce: str) -> Request:
    """Sign a request.

    Args:
        request: not signed yet; with a body it has a content type.
        signing: who signs.
        created: the time, in seconds since 1970.
        nonce: a new one, see ``new_nonce``.

    Raises:
        RefusedError: UNSIGNED: it cannot be: it lacks something.
    """
    covered: tuple[str, ...] = _OF_REQUEST
    if request.body is not None:
        request = replace(request, headers=_with_digest(request.headers, request.body))
        covered += _OF_BODY
    message = _RequestView(request)
    _sign(message, signing, covered, created=created, nonce=nonce)
    return replace(request, headers=message.headers.lines)


def verified(request: Request, keys: Keys, nonces: Nonces, now: float) -> str:
    """Say who signed a request: the id of its key.

    Args:
        request: as it came, its URL made by ``served_url``.
        keys: those that are known.
        nonces: what came already.
        now: in seconds since 1970.

    Raises:
        RefusedError: UNSIGNED: it is not, or not all of it. EXPIRED, FUTURE: it is not of now.
            UNKNOWN_KEY: nobody known. BAD_SIGNATURE: it is not what was signed. REPLAYED: it came
            already. TRANSPORT: it is packed, or its URL is none.
        TransportError: Nobody can tell now whether it came already.
    """
    fields = fields_of(request.headers)
    # 1. A signature passes over users and fragments in URLs, so there are none; what is packed
    #    would be another body to whoever unpacks it.
    if ENCODING in fields or not _URL.fullmatch(request.url):
        raise RefusedError(Alarm.TRANSPORT, "a request is packed, or its URL is none")
    # 2. One signature, over all that must be covered, made for this use and in time.
    claim = Claim.read(fields)
    has_body = bool(request.body) or not fields.keys().isdisjoint(_OF_BODY)
    claim.check_covers(_OF_REQUEST + (_OF_BODY if has_body else ()))
    claim.check_time(now)
    nonce = claim.nonce()
    # 3. It is true, and its digest is the body's, which is computed anew.
    _check(_RequestView(request), claim, keys, request.body or b"")
    # 4. It never came before: last, since only now it is known to be its signer's.
    if not nonces.is_new(claim.key_id, nonce, claim.created):
        raise RefusedError(Alarm.REPLAYED, "a request came already")
    return claim.key_id


def signed_response(
    response: Response, request: Request, signing: Signing, *, created: int
) -> Response:
    """Sign an answer to a request that was signed; whoever packs it on its way breaks it.

    Args:
        response: not signed yet, its body as it goes over the wire; it has a content type.
        request: what it answers.
        signing: who signs.
        created: the time, in seconds since 1970.

    Raises:
        RefusedError: UNSIGNED: it cannot be: it or the request lacks something.
    """
    response = replace(response, headers=_with_digest(response.headers, response.body))
    message = _ResponseView(response, request)
    packed = (ENCODING,) if ENCODING in message.headers else ()
    _sign(message, signing, _OF_ANSWER + packed + _OF_ITS_REQUEST, created=created)
    return replace(response, headers=message.headers.lines)


def verify_response(response: Response, request: Request, keys: Keys, now: float) -> str:
    """Say who signed an answer to this very request: the id of its key.

    Args:
        response: as it came, not unpacked yet.
        request: as it was sent, signed.
        keys: the partner's.
        now: in seconds since 1970.

    Raises:
        RefusedError: as ``verified`` does.
    """
    fields = fields_of(response.headers)
    claim = Claim.read(fields)
    packed = (ENCODING,) if ENCODING in fields else ()
    claim.check_covers(_OF_ANSWER + packed + _OF_ITS_REQUEST)
    claim.check_time(now)
    _check(_ResponseView(response, request), claim, keys, response.body)
    return claim.key_id


class _Fields:
    """Header lines, in the shape in which the library reads and writes them."""

    def __init__(self, lines: Headers) -> None:
        self.lines = lines

    def items(self) -> Headers:
        return self.lines

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.lines])

    def __contains__(self, name: str) -> bool:
        return any(name.lower() == each.lower() for each in self)

    def __setitem__(self, name: str, value: str) -> None:
        self.lines = (*self.lines, (name, value))

    def __delitem__(self, name: str) -> None:
        self.lines = tuple(line for line in self.lines if line[0].lower() != name.lower())


class _RequestView:
    def __init__(self, request: Request) -> None:
        self.method, self.url = request.method, request.url
        self.headers = _Fields(request.headers)


class _ResponseView:
    def __init__(self, response: Response, request: Request) -> None:
        self.status_code = response.status
        self.headers = _Fields(response.headers)
        self.request = _RequestView(request)


class _Verifier(HTTPMessageVerifier):
    """The library's, but for the time: that is the caller's, and was checked."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Do nothing."""


def _sign(
    message: _RequestView | _ResponseView,
    signing: Signing,
    covered: tuple[str, ...],
    *,
    created: int,
    nonce: str | None = None,
) -> None:
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
    at = datetime.fromtimestamp(created, UTC)
    try:
        prepared = signer.prepare(
            message,
            key_id=signing.key_id,
            created=at,
            expires=at + timedelta(seconds=WINDOW),
            nonce=nonce,
            label=_LABEL,
            tag=TAG,
            covered_component_ids=covered,
            use_existing_digest=DIGEST in message.headers,
        )
        signer.apply(message, prepared, signing.signer.sign(prepared.signature_base))
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise RefusedError(Alarm.UNSIGNED, "what lacks a part cannot be signed") from error


def _check(message: _RequestView | _ResponseView, claim: Claim, keys: Keys, body: bytes) -> None:
    key = keys(claim.key_id)
    if key is None:
        raise RefusedError(Alarm.UNKNOWN_KEY, "nobody who is known signed")
    public = Ed25519PublicKey.from_public_bytes(key.raw)
    verifier = _Verifier(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={claim.key_id: public}, private_keys={}),
    )
    try:
        verifier.verify(message, max_age=None, expect_tag=TAG, body=body)
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError, TypeError) as error:
        raise RefusedError(Alarm.BAD_SIGNATURE, "what came is not what was signed") from error


def _with_digest(headers: Headers, body: bytes) -> Headers:
    return (*headers, ("Content-Digest", ContentDigest.create(body)))
