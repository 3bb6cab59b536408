# SPDX-License-Identifier: Apache-2.0
"""Write down what one's operator contributed, or what is live in a set."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from hub.cli.progress import Advance
from hub.cli.spreadsheets import CODES, WORDS, codes_cells, line_of, words_cells
from hub.client import Client, Indicator, Record

STDOUT = Path("-")
_PAGE = 500
_LIVE = "live"
_OWN = ("id", "n", "state", "external_id", "kind", *CODES, "sets", *WORDS)
_SET = ("id", "n", "set", "standing", "until", *CODES, *WORDS)


class Export:
    """One export, of one's own or of a set.

    Args:
        form: csv or ndjson.
        set_id: None for one's own.
        ended: of one's own also what was withdrawn or has expired.
    """

    def __init__(self, form: str, set_id: str | None, *, ended: bool) -> None:
        self.written = 0
        self.cut = 0
        """Videos of which CSV cannot tell the frames."""
        self._is_csv = form == "csv"
        self._set_id = set_id
        self._ended = ended

    def run(self, client: Client, out: BinaryIO, advance: Advance) -> None:
        """Write all of it.

        Raises:
            ClientError: The hub does not answer, or refuses.
        """
        columns = _OWN if self._set_id is None else _SET
        if self._is_csv:
            out.write(line_of(columns).encode())
        for record in self._records(client):
            out.write(self._line(columns, record) if self._is_csv else _ndjson(record))
            self.written += 1
            advance(1)

    def _records(self, client: Client) -> Iterator[dict[str, Any]]:
        if self._set_id is not None:
            return _live_in(client, self._set_id)
        return (one for one in _own(client) if self._ended or one["state"] == _LIVE)

    def _line(self, columns: Sequence[str], record: Mapping[str, Any]) -> bytes:
        codes = record["item"]["codes"]
        self.cut += any("at_ms" in code for code in codes)
        cells = {
            **record,
            **words_cells(record.get("words", record)),
            **codes_cells(codes),
            "kind": record["item"].get("kind"),
            "sets": " ".join(record.get("sets", ())),
        }
        return line_of([cells.get(name) for name in columns]).encode()


@contextmanager
def destination(path: Path) -> Iterator[BinaryIO]:
    """Open standard output, or a file for its owner alone that is there whole or not at all."""
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb", opener=_private) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _ndjson(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record) + b"\n"


def _own(client: Client) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = client.list_own(cursor=cursor, limit=_PAGE)
        yield from map(_own_record, page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def _live_in(client: Client, set_id: str) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = client.snapshot(set_id, cursor=cursor)
        yield from map(_set_record, page.records)
        cursor = page.cursor
        if cursor is None:
            return


def _own_record(one: Indicator) -> dict[str, Any]:
    """Write one's own as ``import`` takes it, which passes over id, n and state."""
    record: dict[str, Any] = {
        "id": one.id,
        "n": one.n,
        "state": one.state,
        "item": {"kind": one.kind, "codes": [code.body() for code in one.codes]},
        **one.words,
        "sets": list(one.sets),
        "expires": one.expires,
    }
    return record if one.external_id is None else {**record, "external_id": one.external_id}


def _set_record(one: Record) -> dict[str, Any]:
    """Write what others say so that it is not taken for a contribution of one's own."""
    return {
        "id": one.id,
        "n": one.n,
        "set": one.set,
        "standing": one.standing,
        "until": one.until,
        "words": one.words,
        "item": {"codes": [code.body() for code in one.codes]},
    }
