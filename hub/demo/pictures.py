# SPDX-License-Identifier: Apache-2.0
"""Photographs that come with scikit-image, and what people do to pictures they pass on."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance

from hub.client import Words

CONTRIBUTED = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket", "retina")
"""Photographs that the first operator knows."""
UNKNOWN = ("camera", "brick", "gravel", "hubble_deep_field", "page", "ihc", "coins")
"""Pictures that nobody contributed, textures and a text page among them."""
FLAT = ("black", "white", "grey", "gradient")

Picture = Image.Image


@dataclass(frozen=True)
class Alteration:
    """Something done to a picture. ``promised``: our table says that it is found."""

    name: str
    make: Callable[[Picture], bytes]
    promised: bool


def words(set_id: str) -> Words:
    """What the demos' operators say of a photograph that they share in a set."""
    return Words(
        sets=(set_id,),
        harm=("grooming",),
        use="profile-picture",
        depicts="no-person",
        basis="own-service-human",
        assessed_by=1,
    )


def photographs(names: tuple[str, ...]) -> Mapping[str, Picture]:
    """Read photographs that are installed with scikit-image.

    Raises:
        ModuleNotFoundError: scikit-image is not installed (the extra ``demo``).
    """
    import skimage  # noqa: PLC0415 - an extra, wanted by the demo alone

    folder = Path(skimage.__file__).parent / "data"
    found = {name: next(folder.glob(f"{name}.*")) for name in names}
    return {name: Image.open(path).convert("RGB") for name, path in found.items()}


def flat(name: str) -> bytes:
    """A picture that shows nothing."""
    size = (256, 256)
    if name == "gradient":
        return png(Image.linear_gradient("L").convert("RGB"))
    return png(Image.new("RGB", size, {"black": 0, "white": 0xFFFFFF, "grey": 0x808080}[name]))


def png(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    return _saved(picture, "PNG")


def jpeg(picture: Picture, quality: int = 90) -> bytes:
    """The picture as a JPEG file."""
    return _saved(picture, "JPEG", quality=quality)


def _saved(picture: Picture, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _resized(picture: Picture) -> bytes:
    return jpeg(picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)))


def _brighter(picture: Picture) -> bytes:
    return jpeg(ImageEnhance.Brightness(picture).enhance(1.2))


def _watermarked(picture: Picture) -> bytes:
    """A name in a corner, a third opaque, as services print it."""
    width, height = picture.size
    size = max(12, height // 24)
    marked = picture.copy()
    ImageDraw.Draw(marked).text(
        (width // 20, height - 2 * size), "@example", fill=(255, 255, 255), font_size=size
    )
    return jpeg(Image.blend(picture, marked, 0.35))


def _letterboxed(picture: Picture) -> bytes:
    bar = picture.height // 5
    canvas = Image.new("RGB", (picture.width, picture.height + 2 * bar))
    canvas.paste(picture, (0, bar))
    return jpeg(canvas)


def _framed(picture: Picture) -> bytes:
    edge = min(picture.size) // 12
    canvas = Image.new("RGB", (picture.width + 2 * edge, picture.height + 2 * edge), 0xFFFFFF)
    canvas.paste(picture, (edge, edge))
    return jpeg(canvas)


def _mirrored(picture: Picture) -> bytes:
    return jpeg(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def _turned(picture: Picture) -> bytes:
    return jpeg(picture.transpose(Image.Transpose.ROTATE_90))


def _cropped(percent: int) -> Callable[[Picture], bytes]:
    def crop(picture: Picture) -> bytes:
        across, down = picture.width * percent // 100, picture.height * percent // 100
        return jpeg(picture.crop((across, down, picture.width - across, picture.height - down)))

    return crop


def _cropped_above(picture: Picture) -> bytes:
    return jpeg(picture.crop((0, picture.height * 8 // 100, *picture.size)))


def _tilted(picture: Picture) -> bytes:
    return jpeg(picture.rotate(3, Image.Resampling.BICUBIC))


def _screenshot(picture: Picture) -> bytes:
    """A phone shows it under a clock and a name, over some words."""
    page = Image.new("RGB", (720, 1560), (18, 18, 18))
    scale = min(720 / picture.width, 1000 / picture.height)
    shown = picture.resize((round(scale * picture.width), round(scale * picture.height)))
    page.paste(shown, ((720 - shown.width) // 2, 240))
    draw = ImageDraw.Draw(page)
    for place, text in ((20, "09:41"), (150, "example.com"), (280 + shown.height, "lorem ipsum")):
        draw.text((40, place), text, (235, 235, 235), font_size=30)
    return jpeg(page)


ALTERATIONS = (
    Alteration("as it is", png, promised=True),
    Alteration("resized to 2/3", _resized, promised=True),
    Alteration("JPEG quality 40", lambda picture: jpeg(picture, 40), promised=True),
    Alteration("brighter by 20 %", _brighter, promised=True),
    Alteration("watermark", _watermarked, promised=True),
    Alteration("WebP", lambda picture: _saved(picture, "WEBP", quality=80), promised=True),
    Alteration("letterboxed", _letterboxed, promised=True),
    Alteration("framed", _framed, promised=True),
    Alteration("mirrored", _mirrored, promised=True),
    Alteration("turned by 90°", _turned, promised=True),
    Alteration("phone screenshot", _screenshot, promised=True),
    Alteration("cropped by 1 % a side", _cropped(1), promised=True),
    Alteration("cropped by 5 % a side", _cropped(5), promised=True),
    Alteration("cropped by 10 % a side", _cropped(10), promised=True),
    Alteration("cropped above by 8 %", _cropped_above, promised=True),
    Alteration("tilted by 3°", _tilted, promised=True),
    Alteration("cropped by 15 % a side", _cropped(15), promised=False),
)
"""From the screenshot on, what plain PDQ cannot do; see the README's table."""
