# SPDX-License-Identifier: Apache-2.0
"""What the commands of administration show: whole lists, single rows, as tables or JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.cli.output import print_json, print_table

PAGE = 1000
Page = Callable[[str | None], dict[str, Any]]


def everything(page: Page) -> list[dict[str, Any]]:
    """Every item of a list that comes by pages, asked for by cursor."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        told = page(cursor)
        found += told["items"]
        cursor = told["next_cursor"]
        if cursor is None:
            return found


def show(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Show rows by these columns."""
    if as_json:
        print_json(rows)
    else:
        print_table(columns, [[_cell(row[column]) for column in columns] for row in rows])


def show_one(columns: Sequence[str], row: Mapping[str, Any], *, as_json: bool) -> None:
    """Show one row by these columns; as JSON all of it."""
    if as_json:
        print_json(row)
    else:
        show(columns, [row], as_json=False)


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
