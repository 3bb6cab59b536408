# SPDX-License-Identifier: Apache-2.0
"""What people do to pictures that they pass on, by kind and by how much.

Every alteration takes a picture and a source of chance, and gives a picture; how it is saved
afterwards is chance too.
"""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from matching.pictures.shapes import Shape

Picture = Image.Image
Chance = np.random.Generator
Alter = Callable[[Picture, Chance], Picture]

_QUALITIES = (60, 75, 85)
_PAGES = ((0, 0, 0), (255, 255, 255), (18, 18, 18), (24, 34, 46), (242, 242, 247))
_PHONES = ((720, 16 / 9), (1080, 2.0), (1080, 13 / 6), (1170, 13 / 6))  # width, height to width
_LIGHT = 380  # the sum of a page's channels from which on its ink is dark


def saved(picture: Picture, chance: Chance) -> bytes:
    """The picture as a JPEG file of middling quality."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(chance.choice(_QUALITIES)))
    return file.getvalue()


def lossless(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def cropped(picture: Picture, *, top: float, right: float, bottom: float, left: float) -> Picture:
    """Cut shares off the sides."""
    box = Shape(top, right, bottom, left).box(picture.height, picture.width)
    return picture.crop((box.left, box.top, box.right, box.bottom))


def cropped_all_round(share: float) -> Alter:
    """Cut the same share off each side."""
    return lambda picture, _: cropped(picture, top=share, right=share, bottom=share, left=share)


def cropped_at_one_side(most: float) -> Alter:
    """Cut up to so much off one side."""

    def crop(picture: Picture, chance: Chance) -> Picture:
        shares = np.zeros(4)
        shares[chance.integers(4)] = chance.uniform(0, most)
        top, right, bottom, left = shares
        return cropped(picture, top=top, right=right, bottom=bottom, left=left)

    return crop


def cropped_at_random(most: float) -> Alter:
    """Cut up to so much off each side, each by chance."""

    def crop(picture: Picture, chance: Chance) -> Picture:
        top, right, bottom, left = chance.uniform(0, most, 4)
        return cropped(picture, top=top, right=right, bottom=bottom, left=left)

    return crop


def tilted(most: float, least: float = 0.0) -> Alter:
    """Turn by up to so many degrees, in one of the three ways in which it is done."""

    def tilt(picture: Picture, chance: Chance) -> Picture:
        degrees = chance.uniform(least, most) * chance.choice((-1, 1))
        way = chance.integers(3)
        if way == 0:  # corners cut off, and black ones instead
            return picture.rotate(degrees, Image.Resampling.BICUBIC)
        if way == 1:  # nothing cut off, black corners around it
            return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        box = Shape(0, 0, 0, 0, degrees).box(picture.height, picture.width)
        turned = picture.rotate(degrees, Image.Resampling.BICUBIC)
        return turned.crop((box.left, box.top, box.right, box.bottom))

    return tilt


def letterboxed_by(share: float) -> Alter:
    """Bars above and below, or at the sides: black or white, each a share of the picture."""

    def letterbox(picture: Picture, chance: Chance) -> Picture:
        colour = _PAGES[chance.integers(2)]
        above = chance.integers(2)
        bars = (0, int(share * picture.height)) if above else (int(share * picture.width), 0)
        return ImageOps.expand(picture, bars, colour)

    return letterbox


def framed_by(share: float) -> Alter:
    """A plain frame, a share of the shorter side wide: black, white or of any colour."""

    def frame(picture: Picture, chance: Chance) -> Picture:
        red, green, blue = (int(value) for value in chance.integers(0, 256, 3))
        colours = (*_PAGES[:2], (red, green, blue))
        colour = colours[chance.integers(len(colours))]
        return ImageOps.expand(picture, int(share * min(picture.size)), colour)

    return frame


def mirrored(picture: Picture, _: Chance) -> Picture:
    """Exchange left and right."""
    return ImageOps.mirror(picture)


def mirrored_and_cropped(picture: Picture, chance: Chance) -> Picture:
    """Exchange left and right, and cut up to 6 % off each side."""
    return cropped_at_random(0.06)(ImageOps.mirror(picture), chance)


def turned(picture: Picture, chance: Chance) -> Picture:
    """Turn by one, two or three quarters."""
    ways = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return picture.transpose(ways[chance.integers(3)])


def on_a_phone(picture: Picture, chance: Chance) -> Picture:
    """The screenshot of a phone: clock, perhaps a name and buttons, on a page of one colour."""
    width, ratio = _PHONES[chance.integers(len(_PHONES))]
    page = _PAGES[chance.integers(len(_PAGES))]
    screen = _Screen(Image.new("RGB", (width, round(width * ratio)), page), page)
    screen.status(chance)
    posted = bool(chance.integers(2))
    top, bottom = (0.20, 0.30) if posted else (0.07, 0.12)
    below = screen.show(picture, top, bottom, at_top=posted and bool(chance.integers(2)))
    if posted:
        screen.post(below, chance)
    return screen.canvas


class _Screen:
    """A phone's screen while it is drawn; lengths are shares of its width."""

    def __init__(self, canvas: Picture, page: tuple[int, int, int]) -> None:
        self.canvas = canvas
        self._draw = ImageDraw.Draw(canvas)
        self._ink = (20, 20, 20) if sum(page) > _LIGHT else (235, 235, 235)

    def status(self, chance: Chance) -> None:
        """Clock, reception and battery above; the bar to swipe below."""
        clock = f"{chance.integers(24):02}:{chance.integers(60):02}"
        self._text(0.05, 0.016, clock, 0.036)
        for number in range(4):
            self._box(0.76 + 0.02 * number, 0.05 - 0.008 * number, 0.012, 0.008 * number + 0.008)
        self._box(0.88, 0.02, 0.05, 0.03)
        height = self.canvas.height / self.canvas.width
        self._box(0.35, height - 0.03, 0.3, 0.01)

    def show(self, picture: Picture, top: float, bottom: float, *, at_top: bool) -> float:
        """Show a picture as large as it goes; return where it ends."""
        width, height = self.canvas.size
        room = height - (top + bottom) * width
        scale = min(width / picture.width, room / picture.height)
        size = (round(scale * picture.width), round(scale * picture.height))
        y = round(top * width) + (0 if at_top else round((room - size[1]) / 2))
        shown = picture.resize(size, Image.Resampling.LANCZOS)
        self.canvas.paste(shown, ((width - size[0]) // 2, y))
        return (y + size[1]) / width

    def post(self, below: float, chance: Chance) -> None:
        """Who posted it above; buttons and what was said under it."""
        self._round(0.04, 0.09, 0.08, (90, 140, 200))
        self._text(0.15, 0.095, "example.com", 0.04)
        self._text(0.15, 0.14, "2 min", 0.026)
        for number in range(3):
            self._round(0.93, 0.105 + 0.02 * number, 0.012, self._ink)
            self._round(0.04 + 0.1 * number, below + 0.02, 0.06, None)
        self._text(0.04, below + 0.10, f"{chance.integers(9999)} likes", 0.034)
        self._text(0.04, below + 0.15, "example  lorem ipsum dolor sit amet, consetetur", 0.034)

    def _text(self, x: float, y: float, text: str, size: float) -> None:
        unit = self.canvas.width
        self._draw.text((x * unit, y * unit), text, self._ink, font_size=round(size * unit))

    def _box(self, x: float, y: float, width: float, height: float) -> None:
        unit = self.canvas.width
        corners = (x * unit, y * unit, (x + width) * unit, (y + height) * unit)
        self._draw.rectangle(corners, fill=self._ink)

    def _round(self, x: float, y: float, size: float, fill: tuple[int, int, int] | None) -> None:
        unit = self.canvas.width
        corners = (x * unit, y * unit, (x + size) * unit, (y + size) * unit)
        outline, width = (self._ink, round(0.006 * unit)) if fill is None else (None, 0)
        self._draw.ellipse(corners, fill=fill, outline=outline, width=width)


CENTRE = tuple(percent / 100 for percent in range(1, 11))
"""The crops of all four sides that are measured, as shares."""

CHOSEN_BY: Mapping[str, tuple[Alter, ...]] = {
    "centre": tuple(cropped_all_round(share) for share in CENTRE),
    "one side": (cropped_at_one_side(0.10),) * 8,
    "random to 6 %": (cropped_at_random(0.06),) * 10,
    "random to 10 %": (cropped_at_random(0.10),) * 12,
    "tilt": (tilted(4.0),) * 12,
}
"""What derivations are chosen by; borders are not, for they are found, not guessed."""
