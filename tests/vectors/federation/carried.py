# SPDX-License-Identifier: Apache-2.0
"""Makes ``tests/vectors/federation/carried``: bundles in files, and answers of ``/yours``.

Run from the top of the repository: ``python -m tests.vectors.federation.carried``. They are of the
hub that the hostile vectors call the peer, whose keys and time are the same in every run.
"""

import io
import itertools
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
from tests.hostile.third import NAME, introduced, passes_on, theirs
from tests.hostile.times import revoked
from tests.hostile.vectors import dumped
from tests.simulators.partner import OP, THIEF
from tests.simulators.statements import ORIGIN

OUT = Path("tests/vectors/federation/carried")
ENTRIES, SECOND = 6, 4
"""Entries that the peer has, and where the second page of a bundle begins."""
Case = tuple[str, bytes, dict[str, Any]]
"""A file's name, its bytes, and what must come of it."""
Change = Callable[[zipfile.ZipFile, zipfile.ZipFile], None]


def peer() -> Peer:
    """The peer of the bundles: it says what the hostile vectors' says at first, and two more."""
    found = honest()
    found.say(said(50), said(51))
    return found


# -- bundles -------------------------------------------------------------------------------------


def bundle(told: Peer, *starts: int) -> bytes:
    """A bundle of a peer, whose pages begin there; each ends where the next begins."""
    file, end = io.BytesIO(), told.log.frontier.size
    spans = itertools.pairwise((*starts, end))
    pages = [page(told, start, last - start, starts[0]) for start, last in spans]
    write(ORIGIN, told.files.held, pages, file, mirror=lambda _: mirrored(told))
    return file.getvalue()


def page(told: Peer, start: int, limit: int, first: int = 0) -> Page:
    """A page as the peer answers it; the checkpoint comes with the first."""
    size = "" if start == first else f"&size={told.log.frontier.size}"
    return Page.parse(told.answer(f"/ops?from={start}&limit={limit}{size}").body)


def mirrored(told: Peer) -> dict[str, bytes]:
    """Who the third hub is, as the peer mirrors it, by path under ``peers/<hub>/``."""
    assert told.third is not None
    paths = told.third.paths()
    return {path.removeprefix(f"/peers/{NAME}/"): told.answer(path).body for path in paths}


def whole() -> bytes:
    """All that the peer said."""
    return bundle(peer(), 0, SECOND)


def relayed() -> Peer:
    """The peer, which passes on what a third hub said."""
    found = honest()
    introduced(found)
    passes_on(theirs(80))(found)
    return found


def ahead() -> bytes:
    """A bundle that tells first what is taken back further on."""
    told, file = honest(), io.BytesIO()
    told.say(revoked(1), said(50))
    one = told.log.records[SECOND]
    early = replace(told.log.revokes(), records=(one,))
    write(ORIGIN, told.files.held, [page(told, 0, ENTRIES)], file, revokes=[early])
    return file.getvalue()


def altered(change: Change) -> bytes:
    """The bundle of all that the peer said, as somebody else makes it."""
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


def with_envelope(envelope: dict[str, Any]) -> bytes:
    """The bundle with another envelope at index 1 of the log."""
    told = page(peer(), 0, SECOND)
    records = [replace(one, envelope=envelope) if one.index == 1 else one for one in told.records]
    return changing("ops/0", replace(told, records=tuple(records)).encoded())


def twice() -> bytes:
    """A bundle with two files of one name."""

    def change(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
        copied(old, new, {})
        # Nothing here writes one name twice, so it is made the same afterwards.
        new.writestr(zipfile.ZipInfo("hux"), b"hub-c.example")

    return altered(change).replace(b"hux", b"hub")


def bundles() -> list[Case]:
    """Each bundle, and what must come of it."""
    later = bundle(peer(), SECOND)
    return [
        taken("whole.zip", whole(), "all that the peer said", 6, 6),
        taken("first.zip", bundle(honest(), 0), "what it said first", 4, 4),
        taken("later.zip", later, "what it said last, to a hub that has read the rest", 6, 2,
              follows="first.zip"),
        taken("whole.zip", whole(), "all of it, to a hub that has read its first page", 6, 2,
              follows="first.zip"),
        taken("whole.zip", whole(), "all of it once more", 6, 0, follows="whole.zip"),
        taken("relayed.zip", bundle(relayed(), 0), "beside its own what a third hub said, and who "
              "that is", 6, 6),
        taken("ahead.zip", ahead(), "first what is taken back, then all", 6, 5),
        taken("short.zip", changing("ops/4", None), "it ends before its log", 4, 4),
        taken("empty.zip", bundle(peer()), "who the peer is, and nothing that it said", 0, 0),
        taken("forged.zip", with_envelope(envelope_of(said(2), THIEF)),
              "one operation is signed by somebody else: the rest is taken", 6, 5,
              alarm="bad-signature", refused=1),
        refused("later.zip", later, "it begins later than the hub has read", "gap"),
        refused("altered.zip", with_envelope(envelope_of(said(52))),
                "an operation is another than its log has", "gap"),
        refused("missing.zip", altered(_without_the_middle),
                "a page is missing: what is before it is taken", "gap", 2),
        refused("lacking.zip", changing("tuf/metadata/timestamp.json", None),
                "its repository lacks a file", "unreachable"),
        refused("nobody.zip", changing("hub", b"Hub A\n"), "it does not say whose it is",
                "malformed"),
        refused("twice.zip", twice(), "two files have one name", "malformed"),
        refused("cut.zip", whole()[:-30], "its end is missing", "malformed"),
    ]  # fmt: skip


def _without_the_middle(old: zipfile.ZipFile, new: zipfile.ZipFile) -> None:
    copied(old, new, {"ops/0": page(peer(), 0, 2).encoded()})


def taken(name: str, data: bytes, what: str, applied: int, kept: int, **more: Any) -> Case:
    """A bundle that is to be believed."""
    comes = {"what": what, "ok": True, "alarm": None, "applied": applied, "kept": kept}
    return name, data, comes | {"refused": 0} | more


def refused(name: str, data: bytes, what: str, alarm: str, applied: int = 0) -> Case:
    """A bundle that is not."""
    return name, data, {"what": what, "ok": False, "alarm": alarm, "applied": applied}


# -- what is given back --------------------------------------------------------------------------


def yours() -> Iterator[Case]:
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
        "relayed": [one.id for one in relayed().log.records],
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
