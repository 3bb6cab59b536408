# SPDX-License-Identifier: Apache-2.0
"""Bring a file of contributions to a hub, chunk by chunk, so that it can be stopped anywhere.

Chunks depend on the file alone and each has a name made of its content, under which the hub
carries it out once; so going on, or running it all again, repeats nothing.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import orjson

from hub.cli.delivering import MOST_BYTES, MOST_ROWS, deliver
from hub.cli.journal import Journal, Progress, open_journal
from hub.cli.progress import Advance
from hub.cli.rows import LONGEST_LINE, Csv, Form, Ndjson, Row, UnusableFileError, rows
from hub.cli.spreadsheets import line_of
from hub.client import Client, Flaw

LAYOUT = "1"
"""Of chunks and bodies: another layout is another import, also of the same file."""
_FORMS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_ERRORS = ("row", "type", "field", "detail")


class Import:
    """The import of one file.

    Args:
        path: of the file.
        sets: to share into where a row names none.
    """

    def __init__(self, path: Path, sets: Sequence[str] = ()) -> None:
        self.path = path
        self.errors = path.with_name(f"{path.name}.errors.csv")
        self.journal = path.with_name(f"{path.name}.breakwater-progress")
        self.done = Progress()
        self.skipped = 0
        self._sets = tuple(sets)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def run(self, client: Client, hub: str, advance: Advance, *, restart: bool = False) -> None:
        """Bring what was not brought before; how far it came stands in ``done``.

        Args:
            client: to send by.
            hub: its address.
            advance: is told of bytes.
            restart: forget what was done before.

        Raises:
            UnusableFileError: It is not a file of contributions.
            BusyJournalError: It is being imported.
            OtherJournalError: What was begun is the import of something else.
            OSError: A file cannot be read or written.
            ClientError: The hub does not answer, or refuses.
        """
        with self.path.open("rb") as file:
            name = _name(file, self._sets)
            form, first = _form(self.path, file, self._sets)
            whole = {"hub": hub, "import": name}
            with open_journal(self.journal, whole, restart=restart) as journal:
                self._resume(journal, first, whole)
                advance(self.done.end)
                file.seek(self.done.end)
                for chunk in _chunks(rows(file, form, self.done.line)):
                    begin = self.done.end
                    self._bring(chunk, f"import-{name}-{self.done.chunks}", client)
                    journal.note(self.done)
                    advance(self.done.end - begin)

    def _resume(self, journal: Journal, first: Progress, name: dict[str, str]) -> None:
        told = self.errors.stat().st_size if self.errors.exists() else 0
        if told < journal.done.errors_bytes:
            # Somebody took it away: tell it all again.
            journal.begin(name)
        self.done = journal.done if journal.done.chunks else first
        self.skipped = self.done.rows
        if self.done.errors_bytes:
            os.truncate(self.errors, self.done.errors_bytes)
        else:
            self.errors.unlink(missing_ok=True)

    def _bring(self, chunk: Sequence[Row], name: str, client: Client) -> None:
        flaws = {row.line: row.flaw for row in chunk if row.flaw is not None}
        sent = [row for row in chunk if row.body is not None]
        told = deliver(client, [row.body or b"" for row in sent], name) if sent else ()
        flaws |= {row.line: one.error for row, one in zip(sent, told, strict=True) if one.error}
        self.done = replace(
            self.done,
            chunks=self.done.chunks + 1,
            rows=self.done.rows + len(chunk),
            kept=self.done.kept + len(chunk) - len(flaws),
            failed=self.done.failed + len(flaws),
            line=chunk[-1].line,
            end=chunk[-1].end,
            errors_bytes=self._tell(sorted(flaws.items())),
        )

    def _tell(self, flaws: Sequence[tuple[int, Flaw]]) -> int:
        """Write the errors of a chunk; return how long their file is now."""
        if not flaws:
            return self.done.errors_bytes
        with self.errors.open("a", encoding="utf-8", newline="") as file:
            if not self.done.errors_bytes:
                file.write(line_of(_ERRORS))
            for line, flaw in flaws:
                file.write(line_of((line, flaw.slug, flaw.field, flaw.detail)))
            return file.tell()


def _name(file: BinaryIO, sets: Sequence[str]) -> str:
    """Name an import by all that decides what is sent."""
    digest = hashlib.sha256(orjson.dumps([LAYOUT, sets]))
    while block := file.read(1024**2):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _form(path: Path, file: BinaryIO, sets: Sequence[str]) -> tuple[Form, Progress]:
    """Tell how the file is written, and where its rows begin."""
    kind = _FORMS.get(path.suffix.lower())
    if kind is None:
        raise UnusableFileError("The file's name must end in .csv or .ndjson.")
    if kind == "ndjson":
        return Ndjson(sets), Progress()
    form = Csv.of_header(file.readline(LONGEST_LINE), sets)
    return form, Progress(line=1, end=file.tell())


def _chunks(found: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in found:
        length = len(row.body or b"")
        if len(chunk) == MOST_ROWS or (chunk and size + length > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += length
    if chunk:
        yield chunk
