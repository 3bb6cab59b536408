# SPDX-License-Identifier: Apache-2.0
"""The photographs that come with scikit-image, and what people do to pictures they pass on."""

import io
import random
from collections.abc import Callable
from functools import cache
from importlib import resources

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

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


def cropped(top: float, right: float, bottom: float, left: float) -> Callable[..., Image.Image]:
    """Cut shares off the sides."""

    def crop(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        begin = round(left * width), round(top * height)
        end = width - round(right * width), height - round(bottom * height)
        return picture.crop((*begin, *end))

    return crop


def tilted(degrees: float) -> Callable[[Image.Image], Image.Image]:
    """Turn a little; the corners go, and black ones come."""
    return lambda picture: picture.rotate(degrees, Image.Resampling.BICUBIC)


def screenshot(picture: Image.Image) -> Image.Image:
    """A phone that shows a picture under its clock, over some words."""
    page = Image.new("RGB", (720, 1560), (242, 242, 247))
    scale = min(720 / picture.width, 1000 / picture.height)
    shown = picture.resize((round(scale * picture.width), round(scale * picture.height)))
    page.paste(shown, ((720 - shown.width) // 2, 240))
    draw = ImageDraw.Draw(page)
    draw.text((40, 20), "09:41", "black", font_size=28)
    draw.text((40, 150), "example.com", "black", font_size=32)
    draw.text((40, 300 + shown.height), "lorem ipsum dolor sit amet", "black", font_size=28)
    return page


def cards() -> list[Image.Image]:
    """One template after another, each with other blocks and words."""
    chance = random.Random(1)  # noqa: S311 - nothing secret
    found = []
    for number in range(12):
        card = Image.new("RGB", (480, 360), (chance.randrange(256), 80, 120))
        draw = ImageDraw.Draw(card)
        for _ in range(4):
            x, y = chance.randrange(400), chance.randrange(300)
            right, below = x + chance.randrange(40, 240), y + chance.randrange(20, 160)
            draw.rectangle((x, y, right, below), fill=(chance.randrange(256), 200, 60))
        draw.text((20, 20 + 24 * number), f"card {number}", "white", font_size=30)
        found.append(card)
    return found


def grounds() -> list[Image.Image]:
    """Noise and soft spots on one colour: near-uniform, each in its own way."""
    found = []
    for number in range(10):
        noise = Image.effect_noise((320, 240), 4 * (number + 1))
        found.append(noise.filter(ImageFilter.GaussianBlur(number // 2)).convert("RGB"))
    return found


def distance(left: str, right: str) -> int:
    """Count the bits in which two codes differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()
