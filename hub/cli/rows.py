# SPDX-License-Identifier: Apache-2.0
"""A file of contributions, read line by line: each line is a row, or its own error.

No column needs a line break, so a CSV row is one line: a quotation mark that is never closed
spoils its own line and no other.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import orjson

from hub.cli.spreadsheets import COLUMNS, NEEDED, BadRowError, contribution_of, unguarded
from hub.client import Flaw
from hub.web.errors import MalformedBodyError
from hub.web.loader import load

LONGEST_LINE = 4 * 1024**2  # bytes
_BOM = b"\xef\xbb\xbf"
_SEPARATORS = ",;\t"
_PASSED_OVER = frozenset({"id", "n", "state", "entries"})
"""What an export of one's own says beside what is contributed."""
_LIVE = "live"


class UnusableFileError(Exception):
    """The file as a whole is not one of contributions; the sentence says why."""


class Form(Protocol):
    """How a line of a file is read."""

    def parse(self, line: bytes) -> dict[str, Any] | None:
        """Make the API's object of a line; None of an empty one.

        Raises:
            BadRowError: It is none.
        """
        ...


@dataclass(frozen=True)
class Row:
    """One row: what is sent, or what is wrong with it.

    Attributes:
        line: its number in the file, from 1.
        end: the offset of the byte after it.
    """

    line: int
    end: int
    body: bytes | None = field(default=None, repr=False)
    flaw: Flaw | None = None


@dataclass(frozen=True)
class Csv:
    """Rows under a header line."""

    columns: Sequence[str]
    separator: str
    sets: Sequence[str] = ()

    @classmethod
    def of_header(cls, line: bytes, sets: Sequence[str]) -> "Csv":
        """Read the header.

        Raises:
            UnusableFileError: It names what is no column, or not what every row needs.
        """
        try:
            text = line.removeprefix(_BOM).decode().strip()
        except UnicodeDecodeError:
            raise UnusableFileError("Save the file as CSV in UTF-8.") from None
        separator = max(_SEPARATORS, key=text.count)
        columns = [name.strip().strip('"').lower() for name in text.split(separator)]
        needed = NEEDED if sets else (*NEEDED, "sets")
        for number, name in enumerate(columns, 1):
            # Not its text: without a header it would be a value.
            if name not in COLUMNS and name not in _PASSED_OVER:
                raise UnusableFileError(
                    f"Column {number} of the first line is not a name of --columns."
                )
            if name in columns[: number - 1]:
                raise UnusableFileError(f"The column {name} is there twice.")
        if missing := [name for name in needed if name not in columns]:
            raise UnusableFileError(f"There is no column {', '.join(missing)}.")
        return cls(columns, separator, sets)

    def parse(self, line: bytes) -> dict[str, Any] | None:
        """Read one row."""
        values = self._values(line)
        cells = {
            name: unguarded(value)
            for name, value in zip(self.columns, values, strict=True)
            if value
        }
        if not cells:
            return None
        _refuse_ended(cells)
        return _shared(contribution_of(cells), self.sets)

    def _values(self, line: bytes) -> list[str]:
        try:
            text = line.decode().rstrip("\r\n")
            found = next(csv.reader([text], delimiter=self.separator, strict=True), [])
        except UnicodeDecodeError:
            raise BadRowError("malformed-row", "This line is not UTF-8.") from None
        except csv.Error:
            raise BadRowError("malformed-row", "This line is no CSV row.") from None
        if "\0" in text:
            raise BadRowError("malformed-row", "This line holds the character U+0000.")
        if found and len(found) != len(self.columns):
            detail = f"This line has {len(found)} cells and not {len(self.columns)}."
            raise BadRowError("malformed-row", detail)
        return [cell.strip() for cell in found] or [""] * len(self.columns)


@dataclass(frozen=True)
class Ndjson:
    """Rows that are objects of the API."""

    sets: Sequence[str] = ()

    def parse(self, line: bytes) -> dict[str, Any] | None:
        """Read one row."""
        text = line.removeprefix(_BOM).strip()
        if not text:
            return None
        try:
            row = load(text)
        except MalformedBodyError as error:
            raise BadRowError(error.flaws[0].slug, error.flaws[0].detail) from None
        if not isinstance(row, dict):
            raise BadRowError("malformed-row", "A row is an object.")
        _refuse_ended(row)
        kept = {name: value for name, value in row.items() if name not in _PASSED_OVER}
        return _shared(kept, self.sets)


def rows(file: BinaryIO, form: Form, line: int) -> Iterator[Row]:
    """Read the rows from where the file stands, which is behind line number *line*."""
    while content := file.readline(LONGEST_LINE):
        line += 1
        is_whole = len(content) < LONGEST_LINE or content.endswith(b"\n")
        if not is_whole:
            _skip_line(file)
        try:
            body = _body(content, form, is_whole=is_whole)
        except BadRowError as error:
            flaw = Flaw(error.slug, error.detail, field=error.field)
            yield Row(line, file.tell(), flaw=flaw)
        else:
            if body is not None:
                yield Row(line, file.tell(), body)


def _body(content: bytes, form: Form, *, is_whole: bool) -> bytes | None:
    if not is_whole:
        raise BadRowError("too-large", f"A line has at most {LONGEST_LINE} bytes.")
    made = form.parse(content)
    try:
        return None if made is None else orjson.dumps(made)
    except orjson.JSONEncodeError:
        raise BadRowError("malformed-row", "It nests too deep.") from None


def _skip_line(file: BinaryIO) -> None:
    while (content := file.readline(LONGEST_LINE)) and not content.endswith(b"\n"):
        pass


def _refuse_ended(row: Mapping[str, Any]) -> None:
    if row.get("state", _LIVE) != _LIVE:
        raise BadRowError(
            "not-live",
            "It was withdrawn or has expired; take its state out to say it anew.",
            "state",
        )


def _shared(row: dict[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    return {**row, "sets": list(sets)} if sets and "sets" not in row else row
