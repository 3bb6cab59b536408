# SPDX-License-Identifier: Apache-2.0
"""Find the picture inside a letterbox, a plain frame, or the screenshot of a phone.

A side is border as far as its rows (or columns) are of one colour, that of the outermost. How far
a pixel may stray from it cannot be known: recompression smears a frame into its neighbours, and a
night sky differs from a black letterbox by less. So each of a few tolerances gives its candidate,
and what is inside a candidate may be framed again.

A screenshot has a clock, names and buttons on its page. There the picture is the longest run of
rows of which most is not of the page's colour.

What is looked at is every row, but of a row only some hundred pixels.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]

MOST_BOXES = 3
"""Candidates for one picture; each costs a code, and most pictures have no border."""

_TOLERANCES = (10, 20, 36)  # how far a channel may be from the border's colour
_MAX_STRAY = 0.02  # the share of a row's values that may be further away
_MIN_KEPT = 0.2  # of each side: a landscape picture on an upright phone's screen keeps 0.26
_MIN_SIDE = 32  # pixels; less holds no picture worth a hash
_NESTED = 2  # a framed picture in a letterbox
_LOOKED_AT = 256  # pixels of a row, at most twice as many
_MOST_ROWS = 256  # looked at in one go
_SAME = 0.006  # of a side: PDQ does not tell two boxes apart that differ by less
_PAGE_TOLERANCE = 12
_PAGE_ROW = 0.5  # the least share of a row of text or buttons that is still page
_PAGE_COLUMN = 0.9  # beside a picture is nothing
_MAX_GAP = 0.03  # of the height: dark rows within a picture on a dark page
_DRAWN_TOLERANCE, _DRAWN = 4, 0.95
_EDGE_DEPTH = 50  # a fiftieth of a side: beyond what recompression smears
_EDGE_GROUND = 0.05  # of an edge; more is ground around a thing: framed cards have less than 0.02


class Box(NamedTuple):
    """A part of a picture: its first row and column, and those after its last."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """How many rows it has."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self.right - self.left

    def of(self, pixels: Pixels) -> Pixels:
        """Cut this part out."""
        return pixels[self.top : self.bottom, self.left : self.right]


def inner_boxes(pixels: Pixels) -> list[Box]:
    """Find where in *pixels*, shape ``(height, width, 3)``, the picture inside its border may be.

    The likeliest first, at most ``MOST_BOXES``; none when there is no border; never the whole.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return []
    whole = Box(0, 0, height, width)
    found: list[Box] = []
    for box in _candidates(pixels, whole):
        if _worth_keeping(box, whole) and not any(_same(box, known) for known in found):
            found.append(box)
    return found[:MOST_BOXES]


def is_drawn(pixels: Pixels, box: Box) -> bool:
    """Whether what lies around *box* was drawn by a program, for it is of one colour.

    A sky may be cut off like a border, but its colour is never that even.
    """
    outside = np.ones(pixels.shape[:2], np.bool_)
    outside[box.top : box.bottom, box.left : box.right] = False
    step = max(1, min(outside.shape) // _LOOKED_AT)
    around = pixels[::step, ::step][outside[::step, ::step]]
    if not len(around):
        return False
    return bool(_near(around, np.median(around, axis=0), _DRAWN_TOLERANCE).mean() >= _DRAWN)


def has_edges(pixels: Pixels, box: Box) -> bool:
    """Whether *box* ends in straight edges: a picture does, a thing drawn on a ground does not."""
    rows, columns = pixels[:, box.left : box.right], pixels[box.top : box.bottom].swapaxes(0, 1)
    return all(
        _near(within, np.median(around, axis=0), _TOLERANCES[-1]).mean() <= _EDGE_GROUND
        for line, start, stop in ((rows, box.top, box.bottom), (columns, box.left, box.right))
        for around, within in _edges(line, start, stop)
    )


def _edges(lines: Pixels, start: int, stop: int) -> Iterator[tuple[Pixels, Pixels]]:
    """The last line of the border, and one a little inside, at either end that has a border."""
    deep = (stop - start) // _EDGE_DEPTH
    if start > 0:
        yield lines[start - 1], lines[start + deep]
    if stop < len(lines):
        yield lines[stop], lines[stop - 1 - deep]


def _candidates(pixels: Pixels, whole: Box) -> Iterator[Box]:
    screen = _on_a_page(pixels, whole)
    if screen != whole:
        yield screen
    for tolerance in _TOLERANCES:
        yield from _nested(pixels, whole, tolerance)


def _nested(pixels: Pixels, whole: Box, tolerance: int) -> Iterator[Box]:
    box = whole
    for _ in range(_NESTED):
        inner = _inside(pixels, box, tolerance)
        if inner == box:
            return
        box = inner
        yield box


def _inside(pixels: Pixels, box: Box, tolerance: int) -> Box:
    above, below = _border_rows(box.of(pixels), tolerance)
    box = box._replace(top=box.top + above, bottom=box.bottom - below)
    before, behind = _border_rows(box.of(pixels).swapaxes(0, 1), tolerance)
    return box._replace(left=box.left + before, right=box.right - behind)


def _border_rows(pixels: Pixels, tolerance: int) -> tuple[int, int]:
    """Count the border rows at either end; what is all border has no inside and keeps all."""
    rows = _thinned(pixels)
    above = _uniform_rows(rows, tolerance)
    if above == len(rows):
        return 0, 0
    below = _uniform_rows(rows[::-1], tolerance)
    return (above, below) if above + below < len(rows) else (0, 0)


def _uniform_rows(rows: Pixels, tolerance: int) -> int:
    """Count the rows from the top that look like the first one, if that is of one colour."""
    colour = np.median(rows[0], axis=0)
    lowest, highest = _around(colour, tolerance)
    values = rows.shape[1] * 3
    start, size = 0, 1
    while start < len(rows):
        block = rows[start : start + size]
        near = ((block >= lowest) & (block <= highest)).reshape(len(block), values)
        busy = np.count_nonzero(near, axis=1) < (1 - _MAX_STRAY) * values
        if busy.any():
            return start + int(busy.argmax())
        # Most pictures have no border: their first row says so.
        start, size = start + size, min(2 * size, _MOST_ROWS)
    return len(rows)


def _on_a_page(pixels: Pixels, whole: Box) -> Box:
    """Find the largest thing on a page of one colour; the whole where there is no page."""
    rows = _thinned(pixels)
    page = np.median(rows[0], axis=0)
    if _near(rows[0], page, _PAGE_TOLERANCE).mean() < 1 - _MAX_STRAY:
        return whole
    is_page = _near(rows, page, _PAGE_TOLERANCE).mean(axis=1) >= _PAGE_ROW
    top, bottom = _longest(~is_page, max_gap=int(_MAX_GAP * len(rows)))
    if bottom - top < _MIN_SIDE:
        return whole
    columns = _thinned(pixels[top:bottom].swapaxes(0, 1))
    is_page = _near(columns, page, _PAGE_TOLERANCE).mean(axis=1) >= _PAGE_COLUMN
    left, right = _longest(~is_page, max_gap=len(columns))
    return Box(top, left, bottom, right)


def _longest(wanted: NDArray[np.bool_], *, max_gap: int) -> tuple[int, int]:
    """Find the longest run of what is wanted, as its first place and that after its last."""
    places = np.flatnonzero(wanted)
    if not len(places):
        return 0, 0
    gaps = np.flatnonzero(np.diff(places) > max_gap + 1)
    starts = np.concatenate(([places[0]], places[gaps + 1]))
    stops = np.concatenate((places[gaps], [places[-1]])) + 1
    longest = int((stops - starts).argmax())
    return int(starts[longest]), int(stops[longest])


def _thinned(pixels: Pixels) -> Pixels:
    """Every row, but of a row only some of its pixels."""
    return np.ascontiguousarray(pixels[:, :: max(1, pixels.shape[1] // _LOOKED_AT)])


def _near(pixels: Pixels, colour: NDArray[np.floating], tolerance: int) -> NDArray[np.bool_]:
    lowest, highest = _around(colour, tolerance)
    near: NDArray[np.bool_] = np.all((pixels >= lowest) & (pixels <= highest), axis=-1)
    return near


def _around(colour: NDArray[np.floating], tolerance: int) -> tuple[Pixels, Pixels]:
    lowest = np.clip(colour - tolerance, 0, 255).astype(np.uint8)
    return lowest, np.clip(colour + tolerance, 0, 255).astype(np.uint8)


def _same(one: Box, other: Box) -> bool:
    across, down = _SAME * one.width, _SAME * one.height
    return (
        abs(one.top - other.top) <= down
        and abs(one.bottom - other.bottom) <= down
        and abs(one.left - other.left) <= across
        and abs(one.right - other.right) <= across
    )


def _worth_keeping(box: Box, whole: Box) -> bool:
    return box.height >= max(_MIN_SIDE, _MIN_KEPT * whole.height) and box.width >= max(
        _MIN_SIDE, _MIN_KEPT * whole.width
    )
