# SPDX-License-Identifier: Apache-2.0
"""The profile ``pdq/1``: one picture, one array of pixels, however its file says it."""

from importlib import resources

import numpy as np
import pytest
from PIL import Image, ImageOps

from matching.pictures import MAX_BYTES, Refusal, RefusedPictureError
from matching.pictures.decoding import decode
from matching.pictures.hashing import codes_of
from tests.unit.pictures.photographs import encoded, photograph

CAT = photograph("chelsea.png")
GOLDEN = {
    "astronaut.png": "2d6b1af3a956c529e79ca3d2526fa834d4196c81cedd04de0a26b855fc99b724",
    "camera.png": "dc9c9d3b746978f888f40ce6e5c3f70f7266623e8d989cb99f21f2010841e1c7",
    "chelsea.png": "5feb5321f01da156898e2bf629a5d3438412cdbd23f48942464526315db33ffd",
    "coffee.png": "8c629e779a663698b9a33866c026726c21a679f61eb6e1f8c79ba7e23c8299e0",
}
"""What ``pdq/1`` gives for lossless files; other codes here would need another profile."""


def pixels(picture):
    return np.asarray(picture)


def same(left, right):
    return np.array_equal(pixels(left), pixels(right))


def refusal(data):
    with pytest.raises(RefusedPictureError) as refused:
        decode(data)
    return refused.value.reason


@pytest.mark.parametrize(("name", "pdq"), GOLDEN.items())
def test_profile_gives_what_it_always_gave(name, pdq):
    file = resources.files("skimage").joinpath("data", name)

    assert codes_of(decode(file.read_bytes()))["pdq"] == pdq


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_picture(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = CAT if lying is None else CAT.transpose(lying)

    decoded = decode(encoded(stored, exif=exif))

    assert same(decoded, CAT)


def test_broken_exif_block_counts_as_none():
    data = encoded(CAT, "JPEG", quality=95, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\x00\x12")

    assert same(decode(data), decode(encoded(CAT, "JPEG", quality=95)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_are_white_whatever_hides_beneath(kind):
    hole = (100, 100, 200, 200)
    see_through = CAT.convert("RGBA")
    see_through.paste((255, 0, 0, 0), hole)
    white = CAT.copy()
    white.paste("white", hole)
    options = {"lossless": True} if kind == "WEBP" else {}

    assert same(decode(encoded(see_through, kind, **options)), white)


def test_half_transparent_parts_are_half_white():
    veiled = CAT.convert("RGBA")
    veiled.putalpha(128)

    decoded = pixels(decode(encoded(veiled))).astype(int)

    assert np.abs(decoded - (pixels(CAT).astype(int) * 128 + 255 * 127) / 255).max() <= 1


def test_transparent_colour_of_a_palette_is_white():
    drawing = Image.new("P", (64, 64), 0)
    drawing.putpalette([10, 20, 30, 200, 100, 50])
    drawing.paste(1, (16, 16, 48, 48))

    decoded = decode(encoded(drawing, transparency=0))

    assert decoded.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.getpixel((32, 32)) == (200, 100, 50)


def test_grey_with_transparency_is_white_there():
    grey = Image.new("LA", (64, 64), (0, 0))

    assert same(decode(encoded(grey)), Image.new("RGB", (64, 64), "white"))


def test_sixteen_bit_grey_keeps_its_shades():
    shades = np.arange(65_536, dtype=np.uint16).reshape(256, 256)

    decoded = pixels(decode(encoded(Image.fromarray(shades))))

    assert np.array_equal(decoded[:, :, 0], shades >> 8)


def test_cmyk_picture_is_looked_at_in_rgb():
    cmyk = decode(encoded(CAT.convert("CMYK"), "TIFF"))

    assert np.abs(pixels(cmyk).astype(int) - pixels(CAT)).max() <= 1


@pytest.mark.parametrize(("mode", "kind"), [("1", "PNG"), ("L", "JPEG"), ("L", "BMP")])
def test_pictures_of_fewer_colours_are_spread_to_rgb(mode, kind):
    plain = CAT.convert(mode)

    decoded = decode(encoded(plain, kind, **({"quality": 100} if kind == "JPEG" else {})))

    assert decoded.mode == "RGB"
    assert np.abs(pixels(decoded).astype(int) - pixels(plain.convert("RGB"))).max() <= 2


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_of_an_animation_counts(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    first = CAT.quantize(64).convert("RGB")
    moving = encoded(first, kind, save_all=True, append_images=[ImageOps.invert(CAT)], **options)

    assert same(decode(moving), decode(encoded(first, kind, **options)))


def test_colour_profile_changes_nothing():
    profile = b"\x00" * 128

    assert same(decode(encoded(CAT, icc_profile=profile)), CAT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_file_is_refused_not_hashed_as_far_as_it_goes(kind, share):
    whole = encoded(CAT, kind)

    assert refusal(whole[: int(len(whole) * share)]) in {Refusal.DAMAGED, Refusal.UNKNOWN_FORMAT}


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PCX", "JPEG2000", "PDF"])
def test_format_that_is_not_allowed_is_not_even_tried(kind):
    assert refusal(encoded(CAT, kind)) == Refusal.UNKNOWN_FORMAT


@pytest.mark.parametrize(
    "data",
    [b"\x00", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"<svg/>", b"II*\x00" * 9],
)
def test_what_is_no_picture_is_refused(data):
    assert refusal(data) in {Refusal.UNKNOWN_FORMAT, Refusal.DAMAGED}


def test_empty_and_overlong_files_are_refused_by_their_length():
    assert refusal(b"") == Refusal.EMPTY
    assert refusal(bytes(MAX_BYTES + 1)) == Refusal.TOO_MANY_BYTES


def test_pixels_without_an_8_bit_form_are_refused():
    heights = Image.fromarray(np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64))

    assert refusal(encoded(heights, "TIFF")) == Refusal.UNKNOWN_PIXELS
