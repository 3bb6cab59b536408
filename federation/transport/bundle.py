# SPDX-License-Identifier: Apache-2.0
"""What a partner would answer, in a file: for hubs without a network between them.

A bundle is a ZIP archive of a hub's TUF repository and of pages of its log, as they would be
served. Whoever reads it asks it as they would ask the hub, and believes it no more than that: it
holds everything that is needed to verify it, and nothing in it is trusted for being there.

- ``hub``: the name of the hub it is of.
- ``tuf/metadata/…``, ``tuf/targets/…``: its repository.
- ``ops/<from>``: pages, each held against the checkpoint in the first.
"""

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

from federation.errors import Alarm, MalformedError, RefusedError
from federation.forms.names import hub_name
from federation.pages import MAX_BYTES, Page
from federation.ports import Answer

MAX_FILES = 20_000
MAX_BUNDLE = 2 * 1024**3  # bytes, unpacked
MAX_NAME = 253
NAME, TUF, OPS = "hub", "tuf/", "ops/"
JSON = "application/json"
_PAGE = re.compile(r"ops/(0|[1-9][0-9]{0,17})", re.ASCII)
_STAMP = (1980, 1, 1, 0, 0, 0)


def write(hub: str, tuf: Mapping[str, bytes], pages: Iterable[Page], file: BinaryIO) -> int:
    """Write a bundle; returns how many entries of the log are in it.

    Args:
        hub: whose it is.
        tuf: its repository, by path.
        pages: of its log, without a gap, the first with its checkpoint.
        file: where to.
    """
    entries = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(NAME, _STAMP), hub)
        for path, data in sorted(tuf.items()):
            archive.writestr(zipfile.ZipInfo(TUF + path, _STAMP), data)
        for page in pages:
            info = zipfile.ZipInfo(f"{OPS}{page.start:d}", _STAMP)
            archive.writestr(info, page.encoded(), zipfile.ZIP_DEFLATED)
            entries += page.end - page.start
    return entries


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
        self._starts = sorted(
            int(found[1]) for name in names if (found := _PAGE.fullmatch(name)) is not None
        )

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
        at = max((one for one in self._starts if one <= start), default=None)
        if at is None or "only" in query:
            return Answer(410 if "only" not in query else 404, b"")
        page = Page.parse(self._read(f"{OPS}{at}", MAX_BYTES) or b"")
        skipped = start - page.start
        if skipped > len(page.records):
            return Answer(404, b"")
        # A checkpoint comes with the first page only, and is what the rest is held against.
        note = page.checkpoint if "size" not in query else None
        told = replace(page, start=start, records=page.records[skipped:], checkpoint=note)
        body = told.encoded()
        if len(body) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "a page of the bundle is too large")
        return Answer(200, body, JSON)

    def _read(self, name: str, max_bytes: int) -> bytes | None:
        try:
            with self._archive.open(name) as one:
                data = one.read(max_bytes + 1)
        except KeyError:
            return None
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise MalformedError("a file of the bundle cannot be read") from error
        if len(data) > max_bytes:
            raise MalformedError("a file of the bundle is too large", Alarm.TOO_LARGE)
        return data
