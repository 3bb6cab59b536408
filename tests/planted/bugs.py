# SPDX-License-Identifier: Apache-2.0
"""Planted bugs as values; what they are stands in ``bugs.toml`` beside this."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("bugs.toml")


@dataclass(frozen=True)
class Edit:
    """One text of one file, and what stands in its place when the bug is planted."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A fault that somebody could make, and the tests that must see it."""

    number: str
    means: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def read_bugs() -> list[Bug]:
    """Read all of them, in order."""
    return [_bug(**words) for words in tomllib.loads(FILE.read_text())["bug"]]


def _bug(*, edit: list[Mapping[str, str]], caught_by: list[str], **words: Any) -> Bug:
    return Bug(edits=tuple(Edit(**one) for one in edit), caught_by=tuple(caught_by), **words)
