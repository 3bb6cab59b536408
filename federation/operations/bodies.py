# SPDX-License-Identifier: Apache-2.0
"""What each operation says, to JSON and back."""

from collections.abc import Callable, Mapping
from typing import Any

from federation.errors import MalformedError
from federation.forms import names
from federation.forms.fields import (
    Fields,
    many,
    members,
    one_of,
    packed,
    text,
    unpadded,
    whole,
)
from federation.operations.values import (
    Assert,
    Body,
    Exclude,
    Frames,
    Manifest,
    NamedHub,
    Op,
    Opinion,
    PolicyChange,
    Purge,
    Revoke,
    SignalCode,
    Word,
)

MAX_SIGNALS = 40
MAX_FRAMES = 5_000
MAX_WORDS = 32
MAX_HUBS = 1_000
MAX_RADIUS = 31  # bits of a PDQ
CODE_BYTES = 256

_signal = text(r"[a-z0-9-]{1,32}", "the name of a signal")
_hex = text(rf"(?:[0-9a-f]{{2}}){{1,{CODE_BYTES}}}", "a code in lower-case hex digits")
_derived = text(r"[a-z0-9:,.+-]{1,64}", "the name of a derivation")
_word_name = text(r"[a-z_]{1,32}", "the name of a list")
_profile = text(r"[\x21-\x7e]{1,64}", "the name of a profile")
_reach = one_of("this", "near")


def read(op: Op, said: Mapping[str, Any]) -> Body:
    """Read what an operation says.

    Raises:
        MalformedError: It is no such body.
    """
    fields = Fields(said, f"the body of {op.value}")
    body = _READERS[op](fields)
    fields.end()
    return body


def members_of(body: Body) -> dict[str, Any]:
    """The members of a body; what says nothing is left out."""
    return _WRITERS[type(body)](body)


# -- reading -------------------------------------------------------------------------------------


def _assert(fields: Fields) -> Assert:
    frames = fields.maybe("frames", members)
    said = Assert(
        item=fields.take("item", names.term),
        signals=tuple(_code(one) for one in fields.take("signals", _objects)),
        words=fields.take("words", _words),
        frames=None if frames is None else _frames(frames),
        profile=fields.maybe("profile", _profile),
        parents=fields.maybe("parents", _parents) or {},
    )
    if not said.signals and said.frames is None:
        raise MalformedError("an item without a code")
    return said


def _revoke(fields: Fields) -> Revoke:
    return Revoke(fields.maybe("reason", names.term))


def _opinion(fields: Fields) -> Opinion:
    return Opinion(
        stance=fields.take("stance", names.term),
        reason=fields.maybe("reason", names.term),
        basis=fields.maybe("basis", names.term),
        assessed_by=fields.take("assessed_by", whole(0, 3)),
        reach=fields.take("reach", _reach),
    )


def _policy_change(fields: Fields) -> PolicyChange:
    return PolicyChange(fields.take("upto", whole(1)))


def _exclude(fields: Fields) -> Exclude:
    return Exclude(
        code=_code(fields.take("code", members)),
        radius=fields.take("radius", whole(0, MAX_RADIUS)),
        reason=fields.take("reason", names.term),
    )


def _purge(fields: Fields) -> Purge:
    return Purge(fields.take("reason", names.term))


def _manifest(fields: Fields) -> Manifest:
    said = Manifest(
        name=fields.take("name", names.free),
        tlp=fields.take("tlp", names.term),
        onward=fields.take("onward", one_of("none", "set")),
        hubs=tuple(_hub(one) for one in fields.take("hubs", _hubs)),
    )
    # Of two roots one reader might take the first, and another the last.
    if len({one.hub for one in said.hubs}) < len(said.hubs):
        raise MalformedError("a set that names a hub twice")
    return said


def _hub(said: dict[str, Any]) -> NamedHub:
    fields = Fields(said, "a hub of the set")
    hub = NamedHub(fields.take("hub", names.hub_name), fields.take("root", names.sha256_hex))
    fields.end()
    return hub


def _code(said: dict[str, Any]) -> SignalCode:
    fields = Fields(said, "a code")
    code = SignalCode(
        signal=fields.take("t", _signal),
        value=bytes.fromhex(fields.take("v", _hex)),
        quality=fields.maybe("q", whole(0, 100)),
        derived=fields.maybe("d", _derived),
    )
    fields.end()
    return code


def _frames(said: dict[str, Any]) -> Frames:
    fields = Fields(said, "the frames")
    frames = Frames(
        codes=fields.take("v", packed(32 * MAX_FRAMES)),
        times=fields.take("at", packed(4 * MAX_FRAMES)),
        qualities=fields.take("q", packed(MAX_FRAMES)),
    )
    fields.end()
    count = len(frames.qualities)
    if not count or len(frames.codes) != 32 * count or len(frames.times) != 4 * count:
        raise MalformedError("frames of unequal count")
    return frames


def _list_of_objects(most: int) -> Callable[[Any], list[dict[str, Any]]]:
    def check(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"a list of at most {most}")
        return [members(one) for one in value]

    return check


_objects, _hubs = _list_of_objects(MAX_SIGNALS), _list_of_objects(MAX_HUBS)


def _words(value: Any) -> dict[str, Word]:
    said = members(value)
    if len(said) > MAX_WORDS:
        raise ValueError(f"an object of at most {MAX_WORDS} words")
    return {_word_name(name): _word(word) for name, word in said.items()}


_whole, _free_list = whole(0), many(names.free, 0, 16)


def _word(value: Any) -> Word:
    if isinstance(value, str):
        return names.free(value)
    return _free_list(value) if isinstance(value, list) else _whole(value)


def _parents(value: Any) -> dict[str, str]:
    said = members(value)
    if not 1 <= len(said) <= MAX_WORDS:
        raise ValueError(f"an object of 1 to {MAX_WORDS} terms")
    return {names.term(one): names.term(parent) for one, parent in said.items()}


_READERS: Mapping[Op, Callable[[Fields], Body]] = {
    Op.ASSERT: _assert,
    Op.REVOKE: _revoke,
    Op.OPINION: _opinion,
    Op.POLICY: _policy_change,
    Op.EXCLUDE: _exclude,
    Op.PURGE: _purge,
    Op.SET: _manifest,
}


# -- writing -------------------------------------------------------------------------------------


def _write_assert(body: Assert) -> dict[str, Any]:
    words = {name: list(w) if isinstance(w, tuple) else w for name, w in body.words.items()}
    said = {"item": body.item, "signals": [_write_code(one) for one in body.signals]}
    frames = body.frames
    packed_frames = frames and {
        "v": unpadded(frames.codes),
        "at": unpadded(frames.times),
        "q": unpadded(frames.qualities),
    }
    return said | _said(
        words=words, frames=packed_frames, profile=body.profile, parents=dict(body.parents) or None
    )


def _write_code(code: SignalCode) -> dict[str, Any]:
    said = {"t": code.signal, "v": code.value.hex()}
    return said | _said(q=code.quality, d=code.derived)


def _write_opinion(body: Opinion) -> dict[str, Any]:
    said = {"stance": body.stance, "assessed_by": body.assessed_by, "reach": body.reach}
    return said | _said(reason=body.reason, basis=body.basis)


def _write_manifest(body: Manifest) -> dict[str, Any]:
    hubs = [{"hub": one.hub, "root": one.root} for one in body.hubs]
    return {"name": body.name, "tlp": body.tlp, "onward": body.onward, "hubs": hubs}


def _said(**maybe: Any) -> dict[str, Any]:
    return {name: value for name, value in maybe.items() if value is not None}


_WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Assert: _write_assert,
    Revoke: lambda body: _said(reason=body.reason),
    Opinion: _write_opinion,
    PolicyChange: lambda body: {"upto": body.upto},
    Exclude: lambda body: {
        "code": _write_code(body.code),
        "radius": body.radius,
        "reason": body.reason,
    },
    Purge: lambda body: {"reason": body.reason},
    Manifest: _write_manifest,
}
