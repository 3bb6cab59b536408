# SPDX-License-Identifier: Apache-2.0
"""Words to and from the JSON in which a version keeps them; what was not said is left out."""

from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from hub.domain.indicators import Words
from hub.storage.columns import millis, moment

_DEFAULTS = {f.name: f.default for f in fields(Words) if f.default is not MISSING}


def packed(words: Words) -> dict[str, Any]:
    """The words as JSON."""
    said = {name: getattr(words, name) for name in words.__dataclass_fields__}
    return {
        name: _plain(value)
        for name, value in said.items()
        if value != _DEFAULTS.get(name, MISSING)
    }


def unpacked(kept: dict[str, Any]) -> Words:
    """The words from JSON."""
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()
    }
    if "observed_at" in values:
        values["observed_at"] = moment(values["observed_at"])
    return Words(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return millis(value)
    return list(value) if isinstance(value, tuple) else value
