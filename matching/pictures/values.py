# SPDX-License-Identifier: Apache-2.0
"""What hashing a picture gives, and why a picture may be refused."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from matching.derivations import NAMES
from matching.errors import MatchingError

PROFILE = "pdq/1"
MAX_BYTES = 20_000_000
MAX_PIXELS = 64_000_000
_MAX_DERIVED = 80  # for asking and for contributing; an item has less


@dataclass(frozen=True)
class DerivedCode:
    """The PDQ of an altered copy of the picture."""

    derivation: int
    pdq: str = field(repr=False)
    quality: int


@dataclass(frozen=True)
class HashedPicture:
    """What one picture is known by; every code is lower-case hex.

    Codes stay out of the repr, for a repr ends in a log.
    """

    sha256: str = field(repr=False)
    sha1: str = field(repr=False)
    md5: str = field(repr=False)
    pdq: str = field(repr=False)
    quality: int
    """PDQ's own estimate, 0 to 100; below 50 the PDQ is not fit to be matched."""
    phash: str = field(repr=False)
    derived: tuple[DerivedCode, ...]
    profile: str = PROFILE


class Refusal(StrEnum):
    """Why a picture was not hashed; the value is stable, the sentence is for people."""

    EMPTY = "empty"
    NOT_A_FILE = "not-a-file"
    TOO_MANY_BYTES = "too-many-bytes"
    TOO_MANY_PIXELS = "too-many-pixels"
    UNKNOWN_FORMAT = "unknown-format"
    UNKNOWN_PIXELS = "unknown-pixels"
    DAMAGED = "damaged"
    NO_VIDEO = "no-video"
    TOO_MANY_FRAMES = "too-many-frames"
    NO_DECODER = "no-decoder"
    TOO_DEMANDING = "too-demanding"
    CRASHED = "crashed"


_SENTENCES = {
    Refusal.EMPTY: "The file is empty.",
    Refusal.NOT_A_FILE: "There is no regular file there that can be read.",
    Refusal.TOO_MANY_BYTES: f"The file is larger than {MAX_BYTES // 1_000_000} MB.",
    Refusal.TOO_MANY_PIXELS: f"It has more than {MAX_PIXELS // 1_000_000} million pixels.",
    Refusal.UNKNOWN_FORMAT: "It is no JPEG, PNG, WebP, GIF, AVIF, BMP or TIFF picture.",
    Refusal.UNKNOWN_PIXELS: "Its kind of pixels has no 8-bit RGB form; save it as 8-bit RGB.",
    Refusal.DAMAGED: "The file is damaged or truncated.",
    Refusal.TOO_DEMANDING: "Hashing it took more time or memory than one picture may have.",
    Refusal.CRASHED: "The process that hashed it crashed; treat the file as hostile.",
}


class RefusedPictureError(MatchingError):
    """The picture was not hashed; ``reason`` says why, and trying again will not help."""

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(_SENTENCES[reason])


class HasherError(MatchingError):
    """No process that hashes can be started here; what it complained of is on standard error."""

    def __init__(self) -> None:
        super().__init__("The process that hashes pictures did not start.")


def hashed_picture(data: bytes, answer: bytes) -> HashedPicture:
    """Make of a file's bytes and a fenced process's answer the whole of what it is known by.

    The digests are taken here, and the answer is checked like a stranger's: whoever takes over
    that process may lie about one picture's look, nothing more.

    Raises:
        RefusedPictureError: The answer is a refusal, or is not one that the process may give.
    """
    try:
        fields = json.loads(answer)
        if "refused" in fields:
            raise RefusedPictureError(Refusal(fields["refused"]))
        sha256 = hashlib.sha256(data).hexdigest()
        if fields["sha256"] != sha256:
            # Another picture's codes under this one's name would accuse an innocent person.
            raise RefusedPictureError(Refusal.CRASHED)
        return HashedPicture(
            sha256=sha256,
            sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            pdq=_hex(fields["pdq"], 256),
            quality=_quality(fields["quality"]),
            phash=_hex(fields["phash"], 64),
            derived=_derived(fields["derived"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise RefusedPictureError(Refusal.CRASHED) from error


def _derived(rows: list[tuple[Any, Any, Any]]) -> tuple[DerivedCode, ...]:
    if len(rows) > _MAX_DERIVED or any(number not in NAMES for number, _, _ in rows):
        raise ValueError
    return tuple(DerivedCode(number, _hex(pdq, 256), _quality(q)) for number, pdq, q in rows)


def _hex(text: Any, bits: int) -> str:
    if not isinstance(text, str) or not re.fullmatch(f"[0-9a-f]{{{bits // 4}}}", text):
        raise ValueError
    return text


def _quality(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 100:  # noqa: PLR2004 - PDQ's own scale
        raise ValueError
    return value
