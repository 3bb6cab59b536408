# SPDX-License-Identifier: Apache-2.0
"""Real photographs under open licences: some to choose derivations by, others to judge them by.

They come from packages of Debian 12, fetched once by ``apt-get download`` into ``.bench`` and
checked against the digests below, and from the wheel of scikit-image. No package is installed.
Who made each picture, and its licence (public domain, CC0, CC BY, CC BY-SA, GPL), stands in the
package: ``usr/share/doc/*/copyright``, and for gcompris a README beside the pictures.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath

from PIL import Image

from bench.altered.qt import Resources
from matching.pictures.decoding import decode

Picture = Image.Image
Pictures = Mapping[str, Picture]

CACHE = Path(__file__).resolve().parents[2] / ".bench"
_SMALLEST = 250  # pixels; what is smaller is no photograph that somebody passes on
_LARGEST = 800  # pixels; a copy that a service keeps


class NoPhotographsError(Exception):
    """The photographs cannot be had here; says what is missing."""


@dataclass(frozen=True)
class Package:
    """A package of Debian 12: its file must have this digest."""

    name: str
    version: str
    sha256: str


GCOMPRIS = Package(
    "gcompris-qt-data",
    "3.1-2",
    "e9cf06ab2105529068df73085784e835d2ff03f870d2a8091f09125d40abac9f",
)
MATE = Package(
    "mate-backgrounds",
    "1.26.0-1",
    "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
)
LOMIRI_16 = Package(
    "lomiri-wallpapers-16.04",
    "20.04.0-2",
    "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
)
LOMIRI_20 = Package(
    "lomiri-wallpapers-20.04",
    "20.04.0-2",
    "d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709",
)
ADWAITA = Package(
    "adwaita-icon-theme",
    "43-1",
    "4b67610565d16b604d3efd9908e8e4b5d71873c5d0f9347433df509020f22af7",
)
GNOME = Package(
    "gnome-icon-theme",
    "3.12.0-5",
    "243520edcff2c309065b7e12ae08f666580e6098ecafa0c0f7d28c75aedcfdc3",
)

_CHOOSING = ("explore_monuments", "explore_world_animals", "explore_farm_animals", "clickgame")
_JUDGING = ("erase",)
_SMALL = ("categorization", "babyshapes", "leftright")
_WHEEL = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "motorcycle_left.png",
    "rocket.jpg",
)
_NO_PHOTOGRAPHS = frozenset(
    {
        "Fossa_by_Jasper_Roks",
        "Painting-Colors_by__herobrine7gamer",
        "analogpattern_by_Peter_Nerlich",
        "umang_by_Abhishek_Mudgal",
    }
)
"""Drawings and patterns among the wallpapers."""


def choosing() -> Pictures:
    """Photographs of buildings, animals and the sea, by which derivations are chosen."""
    found = dict(_of_gcompris(_CHOOSING))
    return {name: picture for name, picture in found.items() if min(picture.size) >= _SMALLEST}


def judging() -> Pictures:
    """Other photographs, of other collections, by which they are judged."""
    backgrounds = "usr/share/backgrounds"
    return {
        **wheel(),
        **dict(_of_gcompris(_JUDGING)),
        **dict(_of_folder(MATE, f"{backgrounds}/mate/nature", "*.jpg")),
        **dict(_of_folder(LOMIRI_16, backgrounds, "*.jpg")),
        **dict(_of_folder(LOMIRI_20, backgrounds, "*.jpg")),
    }


def wheel() -> Pictures:
    """The few that are installed with scikit-image.

    Raises:
        NoPhotographsError: It is not installed.
    """
    try:
        folder = resources.files("skimage").joinpath("data")
    except ModuleNotFoundError as error:
        raise NoPhotographsError("scikit-image is not installed: the extra demo") from error
    return {name: _opened(folder.joinpath(name).read_bytes()) for name in _WHEEL}


def small_things() -> Pictures:
    """Photographs of tools, toys, hands and cups before plain grounds, much like each other."""
    return dict(_of_gcompris(_SMALL))


def icons() -> Pictures:
    """A desktop's icons over white: all the large ones, and every third small one."""
    folder = "usr/share/icons/Adwaita"
    large = dict(_of_folder(ADWAITA, f"{folder}/512x512", "**/*.png"))
    small = dict(_of_folder(ADWAITA, f"{folder}/96x96", "**/*.png"))
    return {**dict(list(small.items())[::3]), **large}


def drawings() -> Pictures:
    """Icons of another desktop over white, by which it was chosen what passes for a drawing."""
    folder = "usr/share/icons/gnome/256x256"
    return dict(list(dict(_of_folder(GNOME, folder, "**/*.png")).items())[::4])


def _of_gcompris(parts: tuple[str, ...]) -> Iterator[tuple[str, Picture]]:
    folder = _unpacked(GCOMPRIS) / "usr/share/gcompris-qt/rcc"
    for part in parts:
        for path, content in Resources((folder / f"{part}.rcc").read_bytes()).files():
            if path.endswith((".webp", ".png", ".jpg")):
                yield f"{part}/{PurePosixPath(path).stem}", _opened(content)


def _of_folder(package: Package, folder: str, pattern: str) -> Iterator[tuple[str, Picture]]:
    for path in sorted((_unpacked(package) / folder).glob(pattern)):
        if path.stem not in _NO_PHOTOGRAPHS:
            yield f"{package.name}/{path.stem}", _opened(path.read_bytes())


def _opened(content: bytes) -> Picture:
    picture = decode(content)
    picture.thumbnail((_LARGEST, _LARGEST))
    return picture


def _unpacked(package: Package) -> Path:
    """Fetch a package, check it, and unpack it; done once.

    Raises:
        NoPhotographsError: There is no apt, it does not know the package, or it is another one.
    """
    folder = CACHE / f"{package.name}_{package.version}"
    if folder.exists():
        return folder
    CACHE.mkdir(exist_ok=True)
    _run(package, "apt-get", "download", "-qq", f"{package.name}={package.version}")
    [file] = CACHE.glob(f"{package.name}_{package.version}_*.deb")
    if hashlib.sha256(file.read_bytes()).hexdigest() != package.sha256:
        file.unlink()
        raise NoPhotographsError(f"{package.name} is not the package it should be")
    unfinished = CACHE / f"{folder.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    _run(package, "dpkg-deb", "-x", file.name, unfinished.name)
    unfinished.rename(folder)
    file.unlink()
    return folder


def _run(package: Package, *command: str) -> None:
    try:
        subprocess.run(command, cwd=CACHE, check=True, capture_output=True)  # noqa: S603 - constants
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoPhotographsError(
            f"{package.name} {package.version} cannot be fetched: photographs are packages of"
            " Debian 12, by apt-get download after apt-get update"
        ) from error
