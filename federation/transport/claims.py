# SPDX-License-Identifier: Apache-2.0
"""What a signature says of itself, and what of that we take: the profile's words; no I/O.

Nothing here is believed yet: whether a signature is true is for ``signatures`` to say.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import http_sf

from federation.errors import Alarm, RefusedError
from federation.transport.messages import Headers

WINDOW = 60
"""Seconds by which two clocks may differ, and for which a request is good."""
MARGIN = 30
KEEP_NONCES = 2 * WINDOW + MARGIN
"""Seconds for which a nonce is remembered: a request may be created a window ahead of us, and be
good for a window behind."""

TAG = "breakwater/1"
ALGORITHM = "ed25519"
MAX_FIELD = 2048  # characters of a header that is read before anything is verified

DIGEST, TYPE, ENCODING = "content-digest", "content-type", "content-encoding"
_READ = frozenset({"signature", "signature-input", DIGEST, TYPE, ENCODING})
_PRINTED = re.compile(r"[\x20-\x7e]*")
_NONCE = re.compile(r"[A-Za-z0-9+/_=-]{22,128}")
_KEY_ID = re.compile(r"[\x21-\x7e]{1,200}")


def fields_of(headers: Headers) -> dict[str, str]:
    """What a signature is about, by name in lower case.

    One line each: of two, another reader might take the other.

    Raises:
        RefusedError: BAD_SIGNATURE: a header is there twice, is too long, or is not printed.
    """
    fields: dict[str, str] = {}
    for name, value in headers:
        known = name.lower()
        if known not in _READ:
            continue
        if known in fields:
            raise RefusedError(Alarm.BAD_SIGNATURE, "a header is there twice")
        if len(value) > MAX_FIELD or not _PRINTED.fullmatch(value):
            raise RefusedError(Alarm.BAD_SIGNATURE, "a header is too long, or not printed")
        fields[known] = value
    return fields


@dataclass(frozen=True)
class Claim:
    """What a signature says of itself, before anybody believed it.

    Attributes:
        covered: what it covers, as RFC 9421 names it.
        created: in seconds since 1970.
        expires: the same; None if it does not say.
        key_id: with which key.
        words: all that it says.
    """

    covered: frozenset[str]
    created: int
    expires: int | None
    key_id: str
    words: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Claim":
        """Read the one signature of a message.

        Raises:
            RefusedError: UNSIGNED: there is none that we take. BAD_SIGNATURE: there are many, or
                it cannot be read.
        """
        if "signature" not in fields or "signature-input" not in fields:
            raise RefusedError(Alarm.UNSIGNED, "nobody signed")
        covered, words = _only(_members(fields["signature-input"]))
        signature, _ = _only(_members(fields["signature"]))
        # Base64 has bits that mean nothing: a signature is written in one way.
        if not isinstance(signature, bytes) or _written(signature) not in fields["signature"]:
            raise RefusedError(Alarm.BAD_SIGNATURE, "a signature is none, or written oddly")
        if words.get("tag") != TAG or words.get("alg") != ALGORITHM:
            raise RefusedError(Alarm.UNSIGNED, "a signature is for another use than this")
        created, expires, key_id = (words.get(name) for name in ("created", "expires", "keyid"))
        if type(created) is not int or type(expires) not in {int, type(None)}:
            raise RefusedError(Alarm.UNSIGNED, "a signature does not say when")
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
            raise RefusedError(Alarm.UNSIGNED, "a signature does not say with which key")
        return cls(_components(covered), created, expires, key_id, words)

    def check_covers(self, required: Iterable[str]) -> None:
        """Refuse a signature that leaves something out.

        Raises:
            RefusedError: UNSIGNED.
        """
        if not self.covered.issuperset(required):
            raise RefusedError(Alarm.UNSIGNED, "a signature does not cover all that it must")

    def check_time(self, now: float) -> None:
        """Refuse what was not signed about now, or may be used for longer.

        Raises:
            RefusedError: FUTURE, EXPIRED.
        """
        if self.created > now + WINDOW:
            raise RefusedError(Alarm.FUTURE, "a signature is of a time to come")
        if self.created < now - WINDOW:
            raise RefusedError(Alarm.EXPIRED, "a signature is too old")
        if self.expires is None or not self.created < self.expires <= self.created + WINDOW:
            raise RefusedError(Alarm.UNSIGNED, "a signature does not end within a minute")
        if self.expires < now:
            raise RefusedError(Alarm.EXPIRED, "a signature has ended")

    def nonce(self) -> str:
        """Its nonce.

        Raises:
            RefusedError: UNSIGNED: it has none, or one that can be guessed.
        """
        nonce = self.words.get("nonce")
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
            raise RefusedError(Alarm.UNSIGNED, "a signature has no nonce of 16 bytes")
        return nonce


def _members(value: str) -> dict[str, Any]:
    try:
        read = http_sf.parse(value.encode(), tltype="dictionary")
    except (ValueError, TypeError) as error:
        raise RefusedError(Alarm.BAD_SIGNATURE, "a signature cannot be read") from error
    return read if isinstance(read, dict) else {}


def _only(members: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The one member of a header, and its parameters."""
    if len(members) != 1:
        raise RefusedError(Alarm.BAD_SIGNATURE, "there is not one signature")
    value, words = next(iter(members.values()))
    return value, words


def _written(signature: bytes) -> str:
    return f":{base64.b64encode(signature).decode()}:"


def _components(covered: object) -> frozenset[str]:
    members = covered if isinstance(covered, list) else []
    return frozenset(_component(*each) for each in members)


def _component(name: object, parameters: Mapping[str, Any]) -> str:
    """A component as this page names it; one with any parameter but ``req`` is none of ours."""
    if not parameters:
        return str(name)
    return f'"{name}";req' if parameters == {"req": True} else ""
