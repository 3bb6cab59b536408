# SPDX-License-Identifier: Apache-2.0
"""Makes ``tests/vectors/federation/carried``: bundles in files, and answers of ``/yours``.

Run from the top of the repository: ``python -m tests.vectors.federation.carried``. They are of the
hub that the hostile vectors call the peer, whose keys and time are the same in every run.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from federation.pages import Page
from federation.returned import Returned
from federation.transport.bundle import write
from tests.hostile.contract import HERE, NOW, OPERATORS, SET
from tests.hostile.peer import Peer, envelope_of, honest, said
from tests.hostile.vectors import dumped
from tests.simulators.partner import OP, THIEF
from tests.simulators.statements import ORIGIN

OUT = Path("tests/vectors/federation/carried")
ENTRIES, SECOND = 6, 4
"""Entries that the peer has, and where the second page of a bundle begins."""
Change = Callable[[zipfile.ZipFile, zipfile.ZipFile], None]


def peer() -> Peer:
    """The peer of the bundles: it says what the hostile vectors' says at first, and two more."""
    found = honest()
    found.say(said(50), said(51))
    return found


# -- bundles -------------------------------------------------------------------------------------


def bundle(*starts: int) -> bytes:
    """A bundle whose pages begin there, of which each ends where the next begins."""
    told, file = peer(), io.BytesIO()
    ends = [*starts[1:], ENTRIES]
    write(ORIGIN, told.files.held, map(page(told, starts[0]), starts, ends), file)
    return file.getvalue()


def page(told: Peer, first: int) -> Callable[[int, int], Page]:
    """Pages against one checkpoint, which comes with the first."""

    def made(start: int, end: int) -> Page:
        found = told.log.page(start, end, size=ENTRIES)
        return found if start == first else replace(found, checkpoint=None)

    return made


def whole() -> bytes:
    """All that the peer said."""
    return bundle(0, SECOND)


def altered(change: Change) -> bytes:
    """The bundle of all that it said, as somebody else makes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole())) as old, zipfile.ZipFile(file, "w") as new:
        change(old, new)
    return file.getvalue()


def copied(
    old: zipfile.ZipFile, new: zipfile.ZipFile, changed: Mapping[str, bytes | None]
) -> None:
    """Copy a bundle file by file, but for those that are others now; None: left out."""
    for info in old.infolist():
        data = changed.get(info.filename, old.read(info))
        if data is not None:
            new.writestr(info, data)


def changing(name: str, data: bytes | None) -> bytes:
    """The bundle with one file that is another."""
    return altered(lambda old, new: copied(old, new, {name: data}))


def _with(envelope: dict[str, Any]) -> bytes:
    """The bundle's first page with another envelope at index 1."""
    told = peer().log.page(0, SECOND, size=ENTRIES)
    records = [replace(one, envelope=envelope) if one.index == 1 else one for one in told.records]
    return replace(told, records=tuple(records)).encoded()


def twice() -> bytes:
    """A bundle with two files of one name."""

    def change(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
        copied(old, new, {})
        # Nothing here writes one name twice, so it is made the same afterwards.
        new.writestr(zipfile.ZipInfo("hux"), b"hub-c.example")

    return altered(change).replace(b"hux", b"hub")


def bundles() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Each bundle, and what must come of it."""
    good = {"ok": True, "alarm": None, "refused": 0}
    later = bundle(SECOND)
    yield "whole.zip", whole(), {"what": "all that the peer said", **good, "applied": 6, "kept": 6}
    yield "first.zip", first(), {"what": "what it said first", **good, "applied": 4, "kept": 4}
    yield (
        "later.zip",
        later,
        {
            "what": "what it said last, to a hub that has read the rest",
            "follows": "first.zip",
            **good,
            "applied": 6,
            "kept": 2,
        },
    )
    yield "later.zip", later, _refused("the same, to a hub that has not", "gap")
    yield (
        "forged.zip",
        changing("ops/0", _with(envelope_of(said(2), THIEF))),
        {
            "what": "one operation is signed by somebody else: the rest is taken",
            "ok": True,
            "alarm": "bad-signature",
            "applied": 6,
            "kept": 5,
            "refused": 1,
        },
    )
    yield (
        "altered.zip",
        changing("ops/0", _with(envelope_of(said(52)))),
        _refused("one operation is another than its log has", "gap"),
    )
    yield (
        "missing.zip",
        changing("ops/4", None),
        _refused("its second page is missing: what is before it is taken", "gap", 4),
    )
    yield (
        "lacking.zip",
        changing("tuf/metadata/timestamp.json", None),
        _refused("its repository lacks a file", "unreachable"),
    )
    yield (
        "nobody.zip",
        changing("hub", b"Hub A\n"),
        _refused("it does not say whose it is", "malformed"),
    )
    yield "twice.zip", twice(), _refused("two files have one name", "malformed")
    yield "cut.zip", whole()[:-30], _refused("its end is missing", "malformed")


def first() -> bytes:
    """The bundle that the peer would have written before it said its last."""
    told, file = honest(), io.BytesIO()
    write(ORIGIN, told.files.held, [told.log.page(0, SECOND)], file)
    return file.getvalue()


def _refused(what: str, alarm: str, applied: int = 0) -> dict[str, Any]:
    return {"what": what, "ok": False, "alarm": alarm, "applied": applied}


# -- what is given back --------------------------------------------------------------------------


def yours() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Answers to the peer, which lost what it had said; and which of it is its own."""
    told = honest()
    held = [(one.index, one.envelope or {}) for one in told.log.records]
    ids, note = [one.id for one in told.log.records], told.log.note()
    mixed = [
        *held[:1],
        (1, envelope_of(said(60), THIEF)),
        (2, envelope_of(said(61), OP, "op-9")),
        (3, {**envelope_of(said(62)), "signatures": []}),
    ]
    yield (
        "yours.json",
        Returned(held, None, note).encoded(),
        {"what": "all that it said", "asked": "/yours?from=0&after=0", "own": ids},
    )
    yield (
        "yours-rest.json",
        Returned(held[2:], None, note).encoded(),
        {"what": "all from an entry on", "asked": "/yours?from=2&after=0", "own": ids[2:]},
    )
    yield (
        "yours-mixed.json",
        Returned(mixed, 17, None).encoded(),
        {
            "what": "beside one of its own some that somebody made up: they say nothing",
            "then": "/yours?from=0&after=17",
            "own": ids[:1],
        },
    )
    yield "yours-none.json", Returned([], None).encoded(), {"what": "nothing is held", "own": []}


# -- as files ------------------------------------------------------------------------------------


def manifest() -> dict[str, Any]:
    """What the files are, and what must come of each."""
    told = peer()
    return {
        "made_by": "tests/vectors/federation/carried.py",
        "now": NOW,
        "hub": HERE,
        "set": SET,
        "operators": list(OPERATORS),
        "pairing": str(told.pairing),
        "ids": [one.id for one in told.log.records],
        "bundles": [{"file": name, **comes} for name, _, comes in bundles()],
        "yours": [{"file": name, **comes} for name, _, comes in yours()],
    }  # fmt: skip


def made() -> dict[str, bytes]:
    """Every file, by its name."""
    files = {name: data for name, data, _ in (*bundles(), *yours())}
    return {**files, "manifest.json": dumped(manifest())}


def main() -> None:
    """Write the files."""
    OUT.mkdir(exist_ok=True)
    for one in OUT.iterdir():
        one.unlink()
    for name, data in made().items():
        (OUT / name).write_bytes(data)


if __name__ == "__main__":
    main()
