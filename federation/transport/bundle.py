# SPDX-License-Identifier: Apache-2.0
"""What a partner would answer, in a file: for hubs without a network between them.

A bundle is a ZIP archive of a hub's TUF repository and of pages of its log, as they would be
served. Whoever reads it asks it as they would ask the hub, and believes it no more than that: it
holds everything that is needed to verify it, and nothing in it is trusted for being there.

- ``hub``: the name of the hub it is of.
- ``tuf/metadata/…``, ``tuf/targets/…``: its repository.
- ``ops/<from>``: pages, each held against the checkpoint in the first.
- ``revokes/<from>``: pages of what is taken back further on, to be taken first.
- ``peers/<hub>/…``: who others are whose word is passed on in it, as a partner mirrors it.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

from federation.errors import Alarm, MalformedError, RefusedError
from federation.forms.names import hub_name
from federation.operations.leaves import Kind
from federation.pages import MAX_BYTES, Page
from federation.ports import Answer

MAX_FILES = 20_000
MAX_BUNDLE = 2 * 1024**3  # bytes, unpacked
MAX_NAME = 253
NAME, TUF, OPS, REVOKES, PEERS = "hub", "tuf/", "ops/", "revokes/", "peers/"
JSON = "application/json"
_PAGE = re.compile(r"(ops|revokes)/(0|[1-9][0-9]{0,17})", re.ASCII)
_SPOILT = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError,
)  # fmt: skip
"""What unpacking raises of a file that somebody spoilt."""
_STAMP = (1980, 1, 1, 0, 0, 0)
Mirror = Callable[[str], Mapping[str, bytes]]


def _nobody(_hub: str) -> Mapping[str, bytes]:
    """Nobody else is known."""
    return {}


@dataclass(frozen=True)
class Written:
    """What went into a bundle.

    Attributes:
        entries: of the log, how many.
        rest: the page that did not fit any more; None: all are in it.
    """

    entries: int
    rest: Page | None


def write(
    hub: str,
    tuf: Mapping[str, bytes],
    pages: Iterable[Page],
    file: BinaryIO,
    *,
    revokes: Iterable[Page] = (),
    mirror: Mirror = _nobody,
    max_bytes: int = MAX_BUNDLE,
) -> Written:
    """Write a bundle, with as many pages as fit: whoever reads it must not refuse it.

    Args:
        hub: whose it is.
        tuf: its repository, by path.
        pages: of its log, without a gap.
        file: where to.
        revokes: pages of what is taken back further on.
        mirror: what shows who another hub is, whose word it passes on; by path.
        max_bytes: of the file.

    Raises:
        MalformedError: TOO_LARGE: not even one page fits, with who said what is in it.
    """
    entries, rest = 0, None
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        room = _Room(file, archive, max_bytes)
        room.put({NAME: hub.encode()} | {TUF + path: data for path, data in tuf.items()})
        shown: set[str] = set()
        for is_ahead, page in chain(((True, it) for it in revokes), ((False, it) for it in pages)):
            name = f"{REVOKES if is_ahead else OPS}{page.start:d}"
            sources = _relayed(page) - shown
            files = {name: page.encoded()} | {
                f"{PEERS}{one}/{path}": data
                for one in sorted(sources)
                for path, data in mirror(one).items()
            }
            if not room.has(files):
                if is_ahead:
                    break  # the log tells it again
                if not entries:
                    raise MalformedError("a page does not fit into a bundle", Alarm.TOO_LARGE)
                rest = page
                break
            room.put(files)
            shown |= sources
            entries += 0 if is_ahead else page.end - page.start
    return Written(entries, rest)


def _relayed(page: Page) -> set[str]:
    return {one.source for one in page.records if one.kind is Kind.RELAY and one.envelope}


class _Room:
    """How much more a bundle may hold: packed, unpacked, and in files."""

    def __init__(self, file: BinaryIO, archive: zipfile.ZipFile, max_bytes: int) -> None:
        self._file, self._archive, self._max_bytes = file, archive, max_bytes
        self._count, self._unpacked, self._names = 0, 0, 0

    def has(self, files: Mapping[str, bytes]) -> bool:
        """Whether some more fit."""
        size = sum(map(len, files.values()))
        # What it will be packed is not known before: as if it could not be.
        packed = self._file.tell() + self._names + size + sum(map(_told, files))
        return (
            self._count + len(files) <= MAX_FILES
            and self._unpacked + size <= MAX_BUNDLE
            and packed <= self._max_bytes
        )

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write them."""
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, _STAMP)
            self._archive.writestr(info, data, zipfile.ZIP_DEFLATED)
            self._count += 1
            self._unpacked += len(data)
            self._names += _told(name)


def _told(name: str) -> int:
    """Bytes that a file takes in an archive beside what is in it, generously."""
    return 256 + 2 * len(name)


class BundleWire:
    """``Wire`` over a bundle.

    Args:
        file: as it came.

    Raises:
        MalformedError: It is no bundle, or larger than one may be.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
            infos = self._archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise MalformedError("not a bundle") from error
        names = [one.filename for one in infos]
        if len(names) > MAX_FILES or sum(one.file_size for one in infos) > MAX_BUNDLE:
            raise MalformedError("the bundle is too large", Alarm.TOO_LARGE)
        if len(set(names)) != len(names):
            raise MalformedError("the bundle has two files of one name")
        found = [one for name in names if (one := _PAGE.fullmatch(name)) is not None]
        self._starts = sorted(int(one[2]) for one in found if one[0].startswith(OPS))
        self._revokes = sorted(int(one[2]) for one in found if one[0].startswith(REVOKES))

    @property
    def hub(self) -> str:
        """Whose it says it is.

        Raises:
            MalformedError: It does not say.
        """
        try:
            return hub_name((self._read(NAME, MAX_NAME) or b"").decode("ascii"))
        except ValueError as error:
            raise MalformedError("the bundle does not say whose it is") from error

    @property
    def begins(self) -> int | None:
        """Index of the first entry in it; None: it has no pages."""
        return self._starts[0] if self._starts else None

    def has_next(self, applied: int) -> bool:
        """Whether it has a page for somebody who has applied so many entries.

        Raises:
            MalformedError: It cannot be read.
        """
        if not self._starts or applied < self._starts[0]:
            return False
        last = self._at(self._starts[-1])
        # At the end of the log a page without entries says that this is all, as of then.
        return applied < last.end or applied == last.end == last.size

    @property
    def has_revokes(self) -> bool:
        """Whether it tells what is taken back further on."""
        return bool(self._revokes)

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:
        """See ``Wire``; a bundle answers at once."""
        del seconds
        parts = urlsplit(path)
        if parts.path == "/ops":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return self._page(query, max_bytes)
        found = self._read(parts.path.removeprefix("/"), max_bytes)
        return Answer(404, b"") if found is None else Answer(200, found)

    def post(self, path: str, body: bytes, **_: object) -> Answer:
        """See ``Wire``; a bundle takes nothing."""
        del path, body
        return Answer(404, b"")

    def _page(self, query: Mapping[str, str], max_bytes: int) -> Answer:
        """The page that holds an entry, from that entry on: what came before it is known."""
        start = int(query["from"])
        if "only" in query:
            return self._revoked(start)
        at = max((one for one in self._starts if one <= start), default=None)
        if at is None:
            return Answer(410, b"")
        page = self._at(at)
        skipped = start - page.start
        if skipped > len(page.records):
            return Answer(404, b"")
        # A checkpoint comes with the first page only, and the rest is held against it: whoever has
        # read what is in that page needs it too.
        note = None if "size" in query else self._at(self._starts[0]).checkpoint
        told = replace(page, start=start, records=page.records[skipped:], checkpoint=note)
        body = told.encoded()
        if len(body) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "a page of the bundle is too large")
        return Answer(200, body, JSON)

    def _at(self, start: int) -> Page:
        return Page.parse(self._read(f"{OPS}{start}", MAX_BYTES) or b"")

    def _revoked(self, start: int) -> Answer:
        """The revokes from an entry on; there may be none any more."""
        at = max((one for one in self._revokes if one <= start), default=None)
        if at is None:
            return Answer(404, b"")
        page = Page.parse(self._read(f"{REVOKES}{at}", MAX_BYTES) or b"")
        if page.end <= start:
            return Answer(404, b"")
        left = tuple(one for one in page.records if one.index >= start)
        return Answer(200, replace(page, start=start, records=left).encoded(), JSON)

    def _read(self, name: str, max_bytes: int) -> bytes | None:
        try:
            with self._archive.open(name) as one:
                data = one.read(max_bytes + 1)
        except KeyError:
            return None
        except _SPOILT as error:
            raise MalformedError("a file of the bundle cannot be read") from error
        if len(data) > max_bytes:
            raise MalformedError("a file of the bundle is too large", Alarm.TOO_LARGE)
        return data
