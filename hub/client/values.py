# SPDX-License-Identifier: Apache-2.0
"""What a caller tells a hub. Codes and accounts stay out of every repr: a repr ends in a log."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from matching.degenerate import is_degenerate
from matching.derivations import (
    ASKED,
    CONTRIBUTED,
    MOST_ASKED,
    MOST_CONTRIBUTED,
    derivation_name,
)
from matching.pictures import DerivedCode, Hashed, HashedPicture, HashedVideo
from matching.signals import PDQ

_LIGHTEST_PDQ, _HEAVIEST_PDQ = 120, 136  # bits set; a hub takes no PDQ beyond, no picture has one


@dataclass(frozen=True)
class Code:
    """One code of an item, in lower-case hex; without ``derived`` it is the plain one."""

    signal: str
    code: str = field(repr=False)
    derived: str | None = None
    quality: int | None = None
    at_ms: int | None = None

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        return _said(self)


@dataclass(frozen=True)
class Item:
    """A thing seen, by all its codes; ``ref`` is the caller's own name of it, sent back."""

    codes: tuple[Code, ...]
    ref: str | None = None
    kind: str | None = None
    """``picture``, which it is without; or ``video``."""

    @classmethod
    def of(cls, hashed: Hashed, *, ref: str | None = None) -> "Item":
        """Ask about what was hashed, a picture or a video."""
        if isinstance(hashed, HashedVideo):
            return cls((*_frames(hashed), *_digests(hashed)), ref, "video")
        return cls.of_picture(hashed, ref=ref)

    @classmethod
    def of_picture(cls, picture: HashedPicture, *, ref: str | None = None) -> "Item":
        """Ask about a picture by all that may turn an altered copy back into a known one."""
        pdq = [Code(PDQ.name, picture.pdq, quality=picture.quality)]
        plain = pdq if _is_possible(picture.pdq) else []
        derived = _derived(picture, ASKED, MOST_ASKED)
        return cls((*plain, *derived, *_others(picture)), ref)

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        named = {"ref": self.ref, "kind": self.kind}
        return {**{k: v for k, v in named.items() if v}, "codes": _bodies(self.codes)}


@dataclass(frozen=True)
class Account:
    """An account: phone, email, handle:<platform> or uid:<platform>."""

    kind: str
    value: str = field(repr=False)
    region: str | None = None

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        return _said(self)


@dataclass(frozen=True)
class Words:
    """What is said of an item, in the words of the vocabulary."""

    sets: tuple[str, ...]
    harm: tuple[str, ...]
    use: str
    depicts: str
    basis: str
    assessed_by: int | None = None
    priority: str | None = None
    confidence: str | None = None
    content_class: str | None = None
    synthetic: str | None = None
    countries: tuple[str, ...] = ()
    class_refs: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    case: str | None = None
    list_name: str | None = None
    observed_at: datetime | None = None
    expires: datetime | None = None

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        said = _said(self)
        return {"list" if name == "list_name" else name: value for name, value in said.items()}


@dataclass(frozen=True)
class Contribution:
    """One indicator to be kept."""

    item: dict[str, Any] = field(repr=False)
    words: Words
    external_id: str | None = None

    @classmethod
    def of_picture(
        cls,
        picture: HashedPicture,
        words: Words,
        *,
        external_id: str | None = None,
        digests_only: bool = False,
    ) -> "Contribution":
        """Contribute a picture by its codes.

        A hub refuses a picture whose ``quality`` is below 50: what looks like everything would
        accuse everybody. With *digests_only* such a file can still be known, byte for byte.
        """
        codes = _digests(picture) if digests_only else contributed_codes(picture)
        body = {"kind": "picture", "codes": _bodies(codes), "profile": picture.profile}
        return cls(body, words, external_id)

    @classmethod
    def of_video(
        cls,
        video: HashedVideo,
        words: Words,
        *,
        external_id: str | None = None,
        digests_only: bool = False,
    ) -> "Contribution":
        """Contribute a video by its digests and by the frames that show something."""
        frames = () if digests_only else _frames(video)
        body = {
            "kind": "video",
            "codes": _bodies((*frames, *_digests(video))),
            "profile": video.profile,
        }
        return cls(body, words, external_id)

    @classmethod
    def of_file(
        cls,
        hashed: Hashed,
        words: Words,
        *,
        external_id: str | None = None,
        digests_only: bool = False,
    ) -> "Contribution":
        """Contribute what was hashed, a picture or a video."""
        if isinstance(hashed, HashedVideo):
            return cls.of_video(hashed, words, external_id=external_id, digests_only=digests_only)
        return cls.of_picture(hashed, words, external_id=external_id, digests_only=digests_only)

    @classmethod
    def of_codes(
        cls,
        codes: tuple[Code, ...],
        words: Words,
        *,
        kind: str = "picture",
        external_id: str | None = None,
    ) -> "Contribution":
        """Contribute a picture or a video by codes made elsewhere."""
        return cls({"kind": kind, "codes": _bodies(codes)}, words, external_id)

    @classmethod
    def of_account(
        cls, account: Account, subject: str, words: Words, *, external_id: str | None = None
    ) -> "Contribution":
        """Contribute an account; *subject* says whose it is."""
        body = {"kind": "account", "account": account.body(), "subject": subject}
        return cls(body, words, external_id)

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        named = {"external_id": self.external_id} if self.external_id else {}
        return {"item": self.item, **self.words.body(), **named}


@dataclass(frozen=True)
class Opinion:
    """What the caller's operator thinks of another's entry in a set."""

    set: str
    stance: str
    reason: str | None = None
    basis: str | None = None
    assessed_by: int | None = None
    reach: str = "this"

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        return _said(self)


@dataclass(frozen=True)
class Outcome:
    """What became of a hit, by its receipt."""

    receipt: str
    outcome: str
    reported_to: str | None = None

    def body(self) -> dict[str, Any]:
        """Give its JSON."""
        return _said(self)


def contributed_codes(picture: HashedPicture) -> tuple[Code, ...]:
    """All codes by which a picture is contributed."""
    plain = Code(PDQ.name, picture.pdq, quality=picture.quality)
    derived = _derived(picture, CONTRIBUTED, MOST_CONTRIBUTED)
    return (plain, *derived, *_others(picture))


def _derived(picture: HashedPicture, wanted: Sequence[int], most: int) -> list[Code]:
    """Choose derived codes in the order of *wanted*, at most so many, none twice.

    One that a hub would refuse must not take the others with it, and one that shows nothing must
    not be found by everything: those are left out.
    """
    order = {number: place for place, number in enumerate(wanted)}
    fit = [code for code in picture.derived if code.derivation in order and _is_fit(code)]
    found: dict[str, Code] = {}
    for code in sorted(fit, key=lambda code: order[code.derivation]):
        name = derivation_name(code.derivation)
        found.setdefault(code.pdq, Code(PDQ.name, code.pdq, name, code.quality))
    return list(found.values())[:most]


def _is_fit(code: DerivedCode) -> bool:
    is_sharp = code.quality >= (PDQ.quality_floor or 0)
    return is_sharp and _is_possible(code.pdq) and not is_degenerate(bytes.fromhex(code.pdq))


def _others(picture: HashedPicture) -> tuple[Code, ...]:
    return (Code("phash", picture.phash), *_digests(picture))


def _digests(hashed: Hashed) -> tuple[Code, ...]:
    return (
        Code("md5", hashed.md5),
        Code("sha1", hashed.sha1),
        Code("sha256", hashed.sha256),
    )


def _frames(video: HashedVideo) -> tuple[Code, ...]:
    """Choose the frames that show something, of those that look exactly alike the first."""
    frames = {
        frame.pdq: Code(PDQ.name, frame.pdq, quality=frame.quality, at_ms=frame.at_ms)
        for frame in reversed(video.frames)
        if frame.quality >= (PDQ.quality_floor or 0) and _is_possible(frame.pdq)
    }
    return tuple(reversed(frames.values()))


def _is_possible(pdq: str) -> bool:
    return _LIGHTEST_PDQ <= int(pdq, 16).bit_count() <= _HEAVIEST_PDQ


def _bodies(codes: tuple[Code, ...]) -> list[dict[str, Any]]:
    return [code.body() for code in codes]


def _said(value: Any) -> dict[str, Any]:
    """Give the fields that say something, as JSON has them."""
    said = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: _json(one) for name, one in said.items() if one is not None and one != ()}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value
