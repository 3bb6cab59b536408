# SPDX-License-Identifier: Apache-2.0
"""The photographs that come with scikit-image, and what people do to pictures they pass on."""

import io
from collections.abc import Callable
from functools import cache
from importlib import resources

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

NAMES = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "moon.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
)
"""In the wheel, without a download. Left out: drawings, texts and boards."""


@cache
def photograph(name: str) -> Image.Image:
    """Open one as 8-bit RGB."""
    data = resources.files("skimage").joinpath("data", name).read_bytes()
    return Image.open(io.BytesIO(data)).convert("RGB")


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Give the bytes of a file with this picture."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def resized(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))


def brighter(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(1.2)


def watermarked(picture: Image.Image) -> Image.Image:
    marked = picture.copy()
    ImageDraw.Draw(marked).text(
        (picture.width * 0.6, picture.height * 0.85), "example.com", "white", font_size=20
    )
    return marked


def grey(picture: Image.Image) -> Image.Image:
    return picture.convert("L")


def letterboxed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, (0, picture.height // 5), "black")


def on_a_phone(picture: Image.Image) -> Image.Image:
    upright = Image.new("RGB", (picture.width, max(picture.height, picture.width * 13 // 6)))
    upright.paste(picture, (0, (upright.height - picture.height) // 2))
    return upright


def framed(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, min(picture.size) // 16, (200, 30, 40))


def framed_and_letterboxed(picture: Image.Image) -> Image.Image:
    return letterboxed(ImageOps.expand(picture, min(picture.size) // 16, "white"))


def as_a_polaroid(picture: Image.Image) -> Image.Image:
    edge = picture.width // 20
    return ImageOps.expand(picture, (edge, edge, edge, picture.height // 4), "white")


BORDERS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    letterboxed,
    on_a_phone,
    framed,
    framed_and_letterboxed,
    as_a_polaroid,
)


def distance(left: str, right: str) -> int:
    """Count the bits in which two codes differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()
