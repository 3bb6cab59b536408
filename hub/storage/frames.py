# SPDX-License-Identifier: Apache-2.0
"""The frames of videos in SQL: one row a video, for five thousand of them would be dear."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.indicators import Code
from hub.domain.sharing import GONE
from hub.storage import tables
from matching.batches import words_of
from matching.ports import Chunk, Rows
from matching.signals import VPDQ

_NO_QUALITY = 255
_AT_ONCE = 50  # videos read in one go; of 5,000 frames each they are 9 MB

_f, _i = tables.frames, tables.indicator
ADD = _f.insert().inline()


def frames_row(key: int, codes: Iterable[Code]) -> dict[str, Any] | None:
    """The row that keeps the frames among an item's codes; None where there are none."""
    frames = [code for code in codes if code.signal == VPDQ.name]
    if not frames:
        return None
    times = np.array([code.at_ms or 0 for code in frames], ">u4")
    qualities = [_NO_QUALITY if code.quality is None else code.quality for code in frames]
    return {
        "indicator": key,
        "codes": b"".join(code.value for code in frames),
        "times": times.tobytes(),
        "qualities": bytes(qualities),
    }


def frames_of(connection: Connection, keys: Sequence[int]) -> Iterator[tuple[int, list[Code]]]:
    """The frames of those indicators that have any, in the order in which they were given."""
    for row in connection.execute(_of(keys)):
        yield row.indicator, _codes(row)


def frame_rows(connection: Connection, keys: Sequence[int]) -> Mapping[int, Rows]:
    """The same as the engine takes them."""
    return {
        row.indicator: Rows(VPDQ.name, row.codes, bytes(len(row.qualities)))
        for row in connection.execute(_of(keys))
    }


def frame_counts(connection: Connection, keys: Sequence[int]) -> Mapping[int, int]:
    """How many frames those indicators have that have any."""
    counts = sa.select(_f.c.indicator, sa.func.length(_f.c.qualities))
    found = connection.execute(counts.where(_f.c.indicator.in_(keys)))
    return {key: count for key, count in found}  # noqa: C416 - rows are no pairs to a type checker


def frame_chunks(connection: Connection, least: int) -> Iterator[Chunk]:
    """Every frame that can be found, in chunks of at least so many rows but the last."""
    found = connection.execution_options(yield_per=_AT_ONCE).execute(
        sa.select(_f.c.indicator, _f.c.codes, _i.c.label)
        .join(_i, _i.c.key == _f.c.indicator)
        .where(_i.c.label != GONE)
        .order_by(_f.c.indicator)
    )
    some: list[Any] = []
    count = 0
    for row in found:
        some.append(row)
        count += len(row[1]) // VPDQ.width
        if count >= least:
            yield _chunk(some)
            some, count = [], 0
    if some:
        yield _chunk(some)


def _of(keys: Sequence[int]) -> sa.Select[Any]:
    return sa.select(_f).where(_f.c.indicator.in_(keys))


def _chunk(rows: Sequence[Any]) -> Chunk:
    owners, values, labels = zip(*rows, strict=True)
    counts = [len(value) // VPDQ.width for value in values]
    return Chunk(
        VPDQ.name,
        words_of(VPDQ, b"".join(values)),
        np.repeat(np.array(owners, np.uint64), counts),
        np.repeat(np.array(labels, np.uint32), counts),
    )


def _codes(row: Row[Any]) -> list[Code]:
    width = VPDQ.width
    times = np.frombuffer(row.times, ">u4").tolist()
    return [
        Code(
            VPDQ.name,
            row.codes[place * width : (place + 1) * width],
            quality=None if quality == _NO_QUALITY else quality,
            at_ms=at_ms,
        )
        for place, (at_ms, quality) in enumerate(zip(times, row.qualities, strict=True))
    ]
