# SPDX-License-Identifier: Apache-2.0
"""A video becomes the PDQs of its frames as `vpdq` has them, or is refused with the reason."""

import json
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from matching.pictures import (
    HashedPicture,
    Hasher,
    Refusal,
    RefusedPictureError,
    RefusedVideoError,
    VideoLimits,
)
from matching.pictures.video.sniffing import is_video
from matching.pictures.video.values import MAX_FRAMES, HashedFrame, frames_of, packed
from tests.support.clips import clip, film, recoded, scenes
from tests.unit.pictures.photographs import encoded, photograph

VPDQ = json.loads((Path(__file__).parents[2] / "vectors" / "vpdq.json").read_text())


def rows(video):
    return [[frame.pdq, frame.quality, frame.at_ms] for frame in video.frames]


def refusal(hasher, path):
    with pytest.raises(RefusedVideoError) as refused:
        hasher.hash_file(path)
    return refused.value.reason


@pytest.mark.parametrize("seconds", ["1.0", "0.2"])
def test_a_film_gives_what_vpdq_gave_to_the_bit(seconds):
    with Hasher(seconds_per_frame=float(seconds)) as hasher:
        video = hasher.hash_file(film())

    assert rows(video) == VPDQ["frames"][seconds]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("h264.mp4", {}),
        ("ntsc.mp4", {"rate": "30000/1001"}),
        ("ten.mkv", {"pix_fmt": "yuv420p10le"}),
        ("bt709.mp4", {"colorspace": "bt709", "color_range": "tv"}),
        ("full.mp4", {"colorspace": "bt709", "color_range": "pc"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "deadline": "realtime"}),
        ("lossless.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
        ("xvid.avi", {"codec": "mpeg4"}),
    ],
)
def test_agrees_with_vpdq_itself_where_it_is_installed(hasher, tmp_path, name, how):
    vpdq = pytest.importorskip(
        "vpdq", reason="vpdq has no wheels; building it needs FFmpeg's headers"
    )
    path = clip(tmp_path / name, scenes(1, 2, frames=40), **how)

    theirs = vpdq.computeHash(str(path), seconds_per_hash=1.0)

    assert rows(hasher.hash_file(path)) == [
        [one.hex, one.quality, round(1000 * one.timestamp)] for one in theirs
    ]


def test_one_frame_a_second_is_hashed_unless_said_otherwise(hasher, tmp_path):
    path = clip(tmp_path / "clip.mp4", scenes(1, 2, 3))

    with Hasher(seconds_per_frame=0.4) as closer:
        often = rows(closer.hash_file(path))
    video = hasher.hash_file(path)

    assert [at_ms for *_, at_ms in rows(video)] == [0, 1000, 2000]
    assert [at_ms for *_, at_ms in often] == [0, 400, 800, 1200, 1600, 2000, 2400, 2800]
    assert (video.profile, len(video.sha256), len(video.md5)) == ("vpdq/1", 64, 32)
    assert all(frame.quality >= 50 for frame in video.frames)


def test_what_a_stream_says_of_its_colours_changes_nothing(hasher, tmp_path):
    """As in `vpdq`: the same bytes of a picture give the same codes, however they are labelled."""
    plain = clip(tmp_path / "plain.mp4", scenes(5))
    with av.open(str(plain)) as source, av.open(str(tmp_path / "said.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.codec_context.colorspace = 1
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)

    assert rows(hasher.hash_file(tmp_path / "said.mp4")) == rows(hasher.hash_file(plain))


def test_codes_stay_out_of_every_repr(hasher, tmp_path):
    video = hasher.hash_file(clip(tmp_path / "clip.mp4", scenes(1)))

    assert video.frames[0].pdq not in repr(video) + repr(video.frames[0])
    assert video.sha256 not in repr(video)


def distances(some, others):
    """How near the nearest of the others is to each frame."""
    codes = [int(frame.pdq, 16) for frame in others.frames]
    return [
        min((int(frame.pdq, 16) ^ code).bit_count() for code in codes) for frame in some.frames
    ]


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (None, {"crf": 38}),
        (None, {"codec": "libvpx-vp9", "b": "300k", "deadline": "realtime"}),
        (lambda p: np.ascontiguousarray(p[::2, ::2]), {}),
        (lambda p: (p * 0.8 + 30).astype(np.uint8), {}),
    ],
    ids=["squeezed", "another codec", "half the size", "paler"],
)
def test_altered_copies_stay_near_frame_by_frame(hasher, tmp_path, change, how):
    original = hasher.hash_file(film())
    kind = ".webm" if "codec" in how else ".mp4"

    copy = hasher.hash_file(recoded(tmp_path / f"copy{kind}", film(), change, **how))

    assert len(copy.frames) == len(original.frames)
    assert max(distances(copy, original)) <= 31


def test_half_of_a_film_is_found_in_the_whole(hasher, tmp_path):
    original = hasher.hash_file(film())

    half = hasher.hash_file(recoded(tmp_path / "half.mp4", film(), chosen=slice(50, None)))

    assert len(half.frames) < len(original.frames)
    assert max(distances(half, original)) <= 31


# What is refused.


@pytest.fixture(scope="module")
def tiny():
    """A small picture with something in it; 5,001 of them are made in no time."""
    return np.ascontiguousarray(next(scenes(7))[:64, :64])


@pytest.mark.parametrize(("count", "fine"), [(MAX_FRAMES, True), (MAX_FRAMES + 1, False)])
def test_more_than_5000_frames_are_refused(hasher, tmp_path, tiny, count, fine):
    pictures = islice((tiny for _ in range(count)), count)
    path = clip(tmp_path / "long.avi", pictures, codec="mjpeg", pix_fmt="yuvj420p", rate=1)

    if fine:
        assert len(hasher.hash_file(path).frames) == MAX_FRAMES
    else:
        assert refusal(hasher, path) == Refusal.TOO_MANY_FRAMES


def test_a_broken_container_is_refused(hasher, tmp_path):
    whole = clip(tmp_path / "clip.mp4", scenes(1)).read_bytes()
    webm = clip(tmp_path / "clip.webm", scenes(1), codec="libvpx-vp9", deadline="realtime")
    broken = {
        "no index": whole[: whole.index(b"moov")],
        "head alone": whole[:64],
        "noise behind the head": whole[:32] + bytes(np.random.default_rng(1).bytes(50_000)),
        "matroska's head": webm.read_bytes()[:40],
        "zeros": b"\x00\x00\x00\x18ftypisom" + bytes(4096),
    }

    for name, data in broken.items():
        path = tmp_path / "broken"
        path.write_bytes(data)
        assert refusal(hasher, path) in {Refusal.UNKNOWN_FORMAT, Refusal.DAMAGED}, name


def test_frames_that_cannot_be_decoded_are_refused_and_never_hashed_as_far_as_they_go(
    hasher, tmp_path
):
    data = bytearray(clip(tmp_path / "clip.mp4", scenes(1, 2, 3)).read_bytes())
    start = data.index(b"mdat") + 4
    end = start + int.from_bytes(data[start - 8 : start - 4], "big") - 8
    data[start + (end - start) // 2 : end] = bytes(end - start - (end - start) // 2)
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)

    assert refusal(hasher, path) == Refusal.DAMAGED


@pytest.mark.parametrize(("left", "fine"), [(0.3, False), (0.6, False), (0.97, True)])
def test_a_download_that_broke_off_is_refused(hasher, tmp_path, tiny, left, fine):
    pictures = islice(((tiny + number) for number in range(250)), 250)
    whole = clip(tmp_path / "clip.mkv", pictures, codec="mjpeg", pix_fmt="yuvj420p").read_bytes()
    path = tmp_path / "broken.mkv"
    path.write_bytes(whole[: int(len(whole) * left)])

    if fine:
        assert len(hasher.hash_file(path).frames) == 10
    else:
        assert refusal(hasher, path) == Refusal.DAMAGED


def test_a_video_that_lies_about_its_rate_is_not_hashed_as_one_frame(hasher, tmp_path, tiny):
    path, thousandth = tmp_path / "lying.mkv", Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=1000)
        stream.height, stream.width = tiny.shape[:2]
        stream.pix_fmt = "yuvj420p"
        stream.codec_context.time_base = thousandth
        for number in range(250):
            frame = av.VideoFrame.from_ndarray(tiny, format="rgb24")
            frame.pts, frame.time_base = number * 40, thousandth
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    assert refusal(hasher, path) == Refusal.DAMAGED


def test_a_file_without_moving_pictures_is_refused(hasher, tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        samples = av.AudioFrame.from_ndarray(
            np.zeros((1, 4096), np.float32), format="fltp", layout="mono"
        )
        samples.sample_rate = 48_000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))

    assert refusal(hasher, path) == Refusal.NO_VIDEO


def test_no_file_may_name_another(hasher, tmp_path):
    """A playlist would have the fenced process open what its author likes."""
    secret = clip(tmp_path / "secret.mp4", scenes(1))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    path = tmp_path / "list.mp4"
    path.write_bytes(b"\x00\x00\x00\x08free" + playlist.encode())

    assert refusal(hasher, path) in {Refusal.UNKNOWN_FORMAT, Refusal.DAMAGED}
    path.write_text(playlist)
    with pytest.raises(RefusedPictureError):
        hasher.hash_file(path)


def test_a_video_that_costs_too_much_is_given_up(tmp_path):
    path = clip(tmp_path / "clip.mp4", scenes(1))

    with Hasher(video_limits=VideoLimits(seconds=0.001)) as hasher:
        assert refusal(hasher, path) == Refusal.TOO_DEMANDING
    with Hasher(video_limits=VideoLimits(memory_bytes=64 * 1024 * 1024)) as hasher:
        assert refusal(hasher, path) in {Refusal.TOO_DEMANDING, Refusal.CRASHED, Refusal.DAMAGED}


def test_pictures_and_videos_are_hashed_side_by_side_and_a_refusal_stands_in_its_place(
    hasher, tmp_path
):
    picture = tmp_path / "picture.mp4"  # names say nothing
    picture.write_bytes(encoded(photograph("chelsea.png")))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\x00\x00\x00\x18ftypisom")

    hashed = hasher.hash_files([picture, film(), broken])

    assert isinstance(hashed[0], HashedPicture)
    assert rows(hashed[1]) == VPDQ["frames"]["1.0"]
    assert isinstance(hashed[2], RefusedVideoError)


@pytest.mark.parametrize("kind", ["AVIF", "PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_no_picture_is_taken_for_a_video(kind):
    assert not is_video(encoded(photograph("chelsea.png"), kind)[:1024])


# What a process that was taken over may say.


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b'{"frames": ""}',
        b'{"frames": "AAAA"}',
        b'{"frames": 7}',
        b'{"refused": "because"}',
        json.dumps({"frames": packed([HashedFrame(0, "00" * 32, 101)])}).encode(),
        json.dumps({"frames": packed([HashedFrame(0, "00" * 32, 1)] * 5001)}).encode(),
    ],
)
def test_an_answer_that_is_none_is_a_crash(answer):
    with pytest.raises(RefusedVideoError) as refused:
        frames_of(answer)

    assert refused.value.reason == Refusal.CRASHED


def test_an_answer_is_read_as_it_was_written():
    frames = [HashedFrame(1000 * n, f"{n:064x}", n % 101) for n in range(200)]

    assert list(frames_of(json.dumps({"frames": packed(frames)}).encode())) == frames
