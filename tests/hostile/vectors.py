# SPDX-License-Identifier: Apache-2.0
"""Makes the plain files of every behaviour whose bytes can be kept, and the table of all of them.

Run from the top of the repository: ``python -m tests.hostile.vectors``. Keys follow from published
numbers and time stands still, so the files are the same wherever they are made. What differs from
the honest peer is kept, and nothing else; what is too large, or is a matter of time, is described.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hostile import consistency, contents, envelopes, shapes, times, transports
from tests.hostile.behaviours import Behaviour, Elsewhere, Group, Inexpressible, Row, State
from tests.hostile.contract import HERE, NOW, OPERATORS, OURS, SET
from tests.hostile.peer import BASE, BYTES, JSON, LOG_ORIGIN, NOTE, Peer, Told, honest, said
from tests.hostile.playing import NEXT, recalled, remembered, silent

OUT = Path("tests/vectors/federation/hostile")
PAGE = Path("docs/protocol/hostile.md")
BEGIN, END = "<!-- made by tests.hostile.vectors -->\n", "<!-- end -->\n"
GROUPS = (
    envelopes.GROUP,
    times.GROUP,
    consistency.GROUP,
    contents.GROUP,
    shapes.GROUP,
    transports.GROUP,
)
MODULES = ("envelopes", "times", "consistency", "contents", "shapes", "transports")
STARTED = 4
"""Entries that the honest peer has when a behaviour begins."""
MOST_PAGES = 4
OK = 200
Files = dict[str, Told]


# -- what a peer shows ---------------------------------------------------------------------------


def shown(peer: Peer, start: int, pages: int = MOST_PAGES, *, again: int | None = None) -> Files:
    """Every answer that a follower gets who has applied so many entries, by path.

    Args:
        peer: as it is.
        start: how many.
        pages: that it asks for at most.
        again: size of the checkpoint with which it reads all of it once more; None: it does not.
    """
    files = {f"/tuf/{name}": peer.answer(f"/tuf/{name}") for name in sorted(peer.files.held)}
    if peer.third is not None:
        files |= {path: peer.answer(path) for path in peer.third.paths()}
    if again is not None:
        path = f"/ops?from=0&size={again}"
        files[path] = peer.answer(f"{path}&limit=1000")
    if again is not None and peer.log.keys.origin != LOG_ORIGIN:
        # Another log is read from its start.
        files |= _walked(peer, 0, pages)
    return files | _walked(peer, start, pages)


def _walked(peer: Peer, start: int, pages: int) -> Files:
    """Pages of operations from an entry on, as a follower asks for them."""
    files: Files = {}
    at, size = start, None
    for _ in range(pages):
        path = f"/ops?from={at}" + ("" if size is None else f"&size={size}")
        told = files[path] = peer.answer(f"{path}&limit=1000")
        after = _after(told)
        if after is None or after[0] <= at:
            break
        at, size = after[0], after[1] if after[0] < after[1] else None
    return files


def _after(told: Told) -> tuple[int, int] | None:
    """Where a page ends, and its log; None: it is none."""
    try:
        page = json.loads(told.body)
        end, size = page["next"], page["size"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (end, size) if type(end) is type(size) is int else None


def steps(behaviour: Behaviour) -> Iterator[tuple[str, Files]]:
    """What the peer shows, step by step; as ``playing`` plays it."""
    peer, start = honest(), STARTED
    if behaviour.before is not None:
        behaviour.before(peer)
        yield "before", shown(peer, start, again=_again(peer))
        start = len(peer.log.records)
    honestly = remembered(peer)
    behaviour.attack(peer)
    is_kept = not behaviour.wire
    is_same = behaviour.state in {State.SAME, State.WARNED}
    if is_kept:
        # Nobody asks on where the first page is refused.
        pages = 1 if is_same else MOST_PAGES
        again = _again(peer) if behaviour.before is None else None
        yield "attack", shown(peer, start, pages, again=again)
    if is_same:
        peer = recalled(peer, honestly)
    else:
        start = len(peer.log.records)
        silent(peer)
    if behaviour.later:
        peer.now = NOW + behaviour.later
        peer.refresh()
    if behaviour.mended is not None:
        behaviour.mended(peer)
    peer.say(said(NEXT))
    if not is_kept and behaviour.is_accepted:
        return
    # Where a key ended early, what holds in its stead is in the log that was followed already.
    is_cut = behaviour.is_accepted and behaviour.mended is not None
    yield "after", shown(peer, start, again=start if is_cut else None)


def _again(peer: Peer) -> int | None:
    """The size at which a log is read once more, by a manifest, or by a set, that is new."""
    is_read = peer.manifests or len(peer.sets) > 1 or peer.log.keys.origin != LOG_ORIGIN
    return peer.log.frontier.size if is_read else None


# -- as files ------------------------------------------------------------------------------------


def made() -> dict[str, bytes]:
    """Every file, by its place in the folder."""
    found: dict[str, bytes] = {}
    first = shown(honest(), 0) | shown(honest(), STARTED)
    again = honest()
    again.say(said(NEXT))
    then = shown(again, STARTED)
    found |= _written(
        "honest", {"first": first, "after": _without(then, first)}, {"does": "no harm"}
    )
    for group in GROUPS:
        for one in group.behaviours:
            known = {"before": first, "attack": first, "after": first | then}
            parts = {step: _without(files, known[step]) for step, files in steps(one)}
            found |= _written(f"{group.letter.lower()}/{one.id}", parts, _manifest(one, group))
    found["manifest.json"] = dumped(
        {
            "now": NOW,
            "hub": HERE,
            "set": SET,
            "own_set": OURS,
            "operators": list(OPERATORS),
            "pairing": str(honest().pairing),
            "base": BASE,
            "vectors": sorted(name.removesuffix("/manifest.json") for name in found
                              if name.endswith("/manifest.json") and name[0] != "h"),
        }
    )  # fmt: skip
    return found


def _without(files: Files, known: Files) -> Files:
    return {path: told for path, told in files.items() if known.get(path) != told}


def _written(folder: str, parts: dict[str, Files], manifest: dict[str, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    listed: dict[str, Any] = {}
    places: dict[bytes, str] = {}
    for step, files in parts.items():
        listed[step] = {}
        for path, told in files.items():
            # What stays as it is from step to step lies there once.
            name = places.setdefault(told.body, f"{step}/{_name(path)}")
            found[f"{folder}/{name}"] = told.body
            listed[step][path] = _entry(name, path, told)
    found[f"{folder}/manifest.json"] = dumped({**manifest, "steps": listed})
    return found


def _entry(name: str, path: str, told: Told) -> Any:
    """Where an answer lies; and what is unusual about it."""
    entry: dict[str, Any] = {"file": name}
    if told.media_type != _usual_type(path):
        entry["media_type"] = told.media_type
    if told.status != OK:
        entry["status"] = told.status
    if told.lines:
        entry["headers"] = [list(line) for line in told.lines]
    return entry if len(entry) > 1 else name


def _usual_type(path: str) -> str:
    if path.endswith("/checkpoint"):
        return NOTE
    return JSON if path.startswith("/ops") else BYTES


def _name(path: str) -> str:
    """A file's name for a path: flat, and without what a file system might not take."""
    parts = urlsplit(path)
    if parts.query:
        asked = parse_qs(parts.query)
        return "ops-" + "-".join(f"{name}-{values[0]}" for name, values in asked.items()) + ".json"
    return parts.path.rpartition("/")[2]


def _manifest(one: Behaviour, group: Group) -> dict[str, Any]:
    manifest = {
        "id": one.id,
        "group": group.name,
        "behaviour": one.does,
        "message": one.message.replace("`", ""),
        "ok": one.state is not State.SAME or one.alarm is None,
        "alarm": None if one.alarm is None else str(one.alarm),
        "state": one.state.value,
        "must_accept": one.is_accepted,
        "looked_at": one.suspends,
        "restarts": one.restarts,
        "later": one.later,
        "wire": one.wire,
        "then": "" if one.then is None else str(one.then),
    }
    return {name: value for name, value in manifest.items() if value not in {"", False}} | {
        "alarm": manifest["alarm"],
        "ok": manifest["ok"],
        "must_accept": manifest["must_accept"],
    }


def dumped(value: Any) -> bytes:
    """JSON that people may read, the same in every run."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


class FilePeer(Peer):
    """A peer that shows what lies in files, and nothing else; it signs its answers.

    Args:
        folder: of the vectors.
        vector: which of them, as ``a/A3``.
    """

    def __init__(self, folder: Path, vector: str) -> None:
        super().__init__()
        self.manifest = json.loads((folder / vector / "manifest.json").read_bytes())
        self._honest = self._read(folder / "honest")
        self._files = self._read(folder / vector)
        self.step = "first"

    @property
    def steps(self) -> list[str]:
        """What it can show after it was honest at first."""
        return [step for step in ("before", "attack", "after") if step in self._files]

    def answer(self, path: str) -> Told:
        """What lies there for a path."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        wanted = parts.path
        if asked:
            size = f"&size={asked['size']}" if "size" in asked else ""
            wanted = f"{parts.path}?from={asked['from']}{size}"
        places = [self._files.get(self.step, {})]
        if self.step == "after":
            places.append(self._honest["after"])
        for place in (*places, self._honest["first"]):
            if wanted in place:
                return place[wanted]
        return Told(b"", 404)

    @staticmethod
    def _read(folder: Path) -> dict[str, Files]:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        found: dict[str, Files] = {}
        for step, files in manifest["steps"].items():
            found[step] = {}
            for path, entry in files.items():
                told: dict[str, Any] = {"file": entry} if isinstance(entry, str) else entry
                found[step][path] = Told(
                    (folder / told["file"]).read_bytes(),
                    told.get("status", OK),
                    told.get("media_type", _usual_type(path)),
                    tuple((name, value) for name, value in told.get("headers", ())),
                )
        return found


# -- the table -----------------------------------------------------------------------------------


def table() -> str:
    """Every behaviour, in a table for each group."""
    parts = []
    for group, module in zip(GROUPS, MODULES, strict=True):
        lines = [f"### {group.letter}. {group.name} ({group.count})", "", *HEAD]
        lines += [_line(row, group, module) for row in group.rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


HEAD = (
    "| | the peer | in which message | alarm | what comes of it | test or vector |",
    "|---|---|---|---|---|---|",
)


def _line(row: Row, group: Group, module: str) -> str:
    if isinstance(row, Inexpressible):
        return f"| {row.id} | {row.does} | not expressible: {row.reason} | none | nothing | none |"
    alarm = "none" if row.alarm is None else f"`{row.alarm}`"
    if isinstance(row, Elsewhere):
        come = f"{alarm} | {row.state.value}"
        return f"| {row.id} | {row.does} | {row.message} | {come} | `{row.test}` |"
    where = f"`test_{module}.py`"
    if not row.wire:
        where = f"`{group.letter.lower()}/{row.id}`"
    else:
        where = f"`{group.letter.lower()}/{row.id}`, described"
    return f"| {row.id} | {row.does} | {row.message} | {alarm} | {row.state.value} | {where} |"


def counts() -> dict[str, int]:
    """How many of the 116 are run, and how many have no words here."""
    numbers: dict[str, list[Row]] = {}
    for group in GROUPS:
        for row in group.rows:
            numbers.setdefault(row.id.partition(".")[0], []).append(row)
    listed = [f"{group.letter}{n}" for group in GROUPS for n in range(1, group.count + 1)]
    rows = [numbers[name] for name in listed]
    inexpressible = sum(all(isinstance(one, Inexpressible) for one in some) for some in rows)
    return {
        "listed": len(listed),
        "run": len(listed) - inexpressible,
        "inexpressible": inexpressible,
        "rows": sum(len(group.rows) for group in GROUPS),
    }


def page() -> str:
    """The page, with the table of now."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    found = counts()
    told = (
        f"Of {found['listed']} behaviours {found['run']} are run, in {found['rows']} forms; "
        f"{found['inexpressible']} has no words in this protocol.\n"
    )
    return f"{before}{BEGIN}\n{told}\n{table()}\n{END}{after}"


def main() -> None:
    """Write the files and the table."""
    shutil.rmtree(OUT, ignore_errors=True)
    for name, data in made().items():
        path = OUT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
