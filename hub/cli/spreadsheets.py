# SPDX-License-Identifier: Apache-2.0
"""Contributions as rows of a spreadsheet: the columns, and how a cell is written and read.

A cell that a spreadsheet would take for a formula gets an apostrophe in front when it is written,
and loses it when it is read.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub.cli.wording import moment_of

DIGESTS = ("phash", "md5", "sha1", "sha256")
MANY = ("harm", "sets", "countries", "class_refs", "refs")
WHOLE = ("assessed_by",)
MOMENTS = ("observed_at", "expires")
WORDS: Mapping[str, str] = {
    "harm": "one to three words, with spaces between",
    "use": "a word",
    "depicts": "a word",
    "basis": "a word",
    "assessed_by": "how many people looked, 0 to 3",
    "priority": "a word",
    "confidence": "a word",
    "content_class": "a word",
    "synthetic": "yes, no or unknown",
    "countries": "ISO codes, with spaces between",
    "class_refs": "SCHEME:CODE, with spaces between",
    "refs": "references of yours, with spaces between",
    "case": "your case; an account needs one",
    "list": "which list, for the basis expert-list",
    "observed_at": "2027-01-31, or 2027-01-31T12:00:00Z",
    "expires": "the same; in a year without, in two at most",
}
CODES: Mapping[str, str] = {
    "pdq": "64 hex digits, in lower case as all codes",
    "quality": "of the pdq, 0 to 100",
    "phash": "16 hex digits",
    "md5": "32 hex digits",
    "sha1": "40 hex digits",
    "sha256": "64 hex digits",
    "derived": "SIGNAL=DERIVATION=HEX=QUALITY, with spaces between; the last part may be missing",
}
COLUMNS: Mapping[str, str] = {
    "external_id": "your name of it; the same again revises it",
    "kind": "picture or account; without it what the other columns say",
    **CODES,
    "account_kind": "phone, email, handle:PLATFORM or uid:PLATFORM",
    "account_value": "as the platform writes it",
    "region": "where a phone number without + is dialled",
    "subject": "whose account it is",
    "sets": "ids, with spaces between",
    **WORDS,
}
"""What each column of a contribution holds."""
NEEDED = ("harm", "use", "depicts", "basis")

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class BadRowError(Exception):
    """A row that cannot be sent; it tells what is wrong, and nothing of what stands there."""

    def __init__(self, slug: str, detail: str, field: str | None = None) -> None:
        self.slug = slug
        self.detail = detail
        self.field = field
        super().__init__(detail)


def guarded(text: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Read a cell that may have been guarded."""
    return text[1:] if _GUARDED.match(text) else text


def line_of(cells: Sequence[object]) -> str:
    """Write a line of a CSV file, every cell guarded."""
    line = io.StringIO()
    texts = ["" if cell is None else guarded(str(cell)) for cell in cells]
    csv.writer(line, lineterminator="\n").writerow(texts)
    return line.getvalue()


def contribution_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """Make the API's object of the cells that are not empty.

    Raises:
        BadRowError: A number is none, or a cell has not its form.
    """
    said: dict[str, Any] = {"item": _item(cells)}
    for name in ("external_id", "sets", *WORDS):
        if name in cells:
            said[name] = _value(name, cells[name])
    return said


def words_cells(words: Mapping[str, Any]) -> dict[str, object]:
    """Write words as cells."""
    return {name: _cell(words.get(name)) for name in WORDS}


def codes_cells(codes: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Write the codes of a picture as cells; frames of a video have none."""
    cells: dict[str, object] = {}
    derived: list[str] = []
    for code in codes:
        if "at_ms" in code:
            continue
        if "derived" in code:
            derived.append(_derived_text(code))
        else:
            cells[code["signal"]] = code["code"]
            cells |= {"quality": code["quality"]} if "quality" in code else {}
    return {**cells, "derived": " ".join(derived)}


# -- reading -------------------------------------------------------------------------------------


def _item(cells: Mapping[str, str]) -> dict[str, Any]:
    is_account = "account_kind" in cells or "account_value" in cells
    kind = cells.get("kind", "account" if is_account else "picture")
    item: dict[str, Any] = {"kind": kind}
    if is_account:
        names = {"account_kind": "kind", "account_value": "value", "region": "region"}
        item["account"] = {names[name]: cells[name] for name in names if name in cells}
    if "subject" in cells:
        item["subject"] = cells["subject"]
    codes = _codes(cells)
    return {**item, "codes": codes} if codes else item


def _codes(cells: Mapping[str, str]) -> list[dict[str, Any]]:
    codes: list[dict[str, Any]] = []
    if "pdq" in cells:
        codes.append({"signal": "pdq", "code": cells["pdq"]})
        if "quality" in cells:
            codes[0]["quality"] = _whole(cells["quality"], "quality")
    elif "quality" in cells:
        raise BadRowError("invalid-value", "A quality is that of a pdq.", "quality")
    codes += [{"signal": name, "code": cells[name]} for name in DIGESTS if name in cells]
    return codes + [_derived(text) for text in cells.get("derived", "").split()]


def _derived(text: str) -> dict[str, Any]:
    parts = text.split("=")
    if len(parts) not in {3, 4}:
        raise BadRowError("invalid-value", "Write SIGNAL=DERIVATION=HEX=QUALITY.", "derived")
    code: dict[str, Any] = {"signal": parts[0], "derived": parts[1], "code": parts[2]}
    return {**code, "quality": _whole(parts[3], "derived")} if parts[3:] else code


def _derived_text(code: Mapping[str, Any]) -> str:
    parts = [code["signal"], code["derived"], code["code"]]
    return "=".join([*parts, str(code["quality"])] if "quality" in code else parts)


def _value(name: str, text: str) -> object:
    if name in MANY:
        return text.split()
    if name in WHOLE:
        return _whole(text, name)
    return moment_of(text) if name in MOMENTS else text


def _whole(text: str, name: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadRowError("invalid-value", "A whole number.", name)
    return int(text)


def _cell(value: Any) -> object:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
