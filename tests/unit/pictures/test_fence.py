# SPDX-License-Identifier: Apache-2.0
"""Hostile pictures cost the caller an error: no memory, no hang, no wrong answer after them."""

import hashlib
import os
import resource
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import psutil
import pytest

from matching.pictures import Hasher, Limits, Refusal, RefusedPictureError
from tests.unit.pictures.photographs import NAMES, encoded, photograph

MEGABYTE = 1024 * 1024
CAT = encoded(photograph("chelsea.png"))


def black_png(width, height):
    """Write a black 1-bit PNG row by row, without ever holding its pixels."""
    rows, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    body = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND")


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def refusal(hasher, data):
    with pytest.raises(RefusedPictureError) as refused:
        hasher.hash_bytes(data)
    return refused.value.reason


def children():
    return set(psutil.Process().children())


@pytest.fixture
def alone():
    """Make a hasher of one process and tell that process."""
    made = []

    def make(limits=None):
        before = children()
        hasher = Hasher(processes=1, limits=limits)
        made.append(hasher)
        hasher.hash_bytes(encoded(photograph("microaneurysms.png")))
        (process,) = children() - before
        return hasher, process

    yield make
    for hasher in made:
        hasher.close()


def test_everything_a_picture_is_known_by_is_of_that_picture(hasher):
    picture = hasher.hash_bytes(CAT)

    assert picture.md5 == hashlib.md5(CAT, usedforsecurity=False).hexdigest()
    assert picture.sha1 == hashlib.sha1(CAT, usedforsecurity=False).hexdigest()
    assert picture.sha256 == hashlib.sha256(CAT).hexdigest()
    assert (len(picture.pdq), len(picture.phash), picture.quality) == (64, 16, 100)
    assert picture.profile == "pdq/1"


@pytest.mark.parametrize(("side", "most"), [(12_000, 20_000), (30_000, 120_000)])
def test_bomb_is_refused_by_its_header_and_costs_the_caller_nothing(hasher, side, most):
    bomb = black_png(side, side)
    assert len(bomb) < most
    hasher.hash_bytes(CAT)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    reason = refusal(hasher, bomb)

    assert reason == Refusal.TOO_MANY_PIXELS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


def test_bomb_is_not_decoded_where_it_is_refused_either(alone):
    hasher, process = alone()
    before = process.memory_info().rss

    refusal(hasher, black_png(30_000, 30_000))

    assert process.memory_info().rss - before < 16 * MEGABYTE


def test_largest_picture_that_is_allowed_fits_into_the_fence(hasher):
    assert hasher.hash_bytes(black_png(8_000, 8_000)).quality == 0


def test_picture_beyond_the_memory_of_the_fence_is_refused_and_the_next_one_is_right(
    alone, hasher
):
    narrow, _ = alone(Limits(memory_bytes=700 * MEGABYTE))

    reason = refusal(narrow, black_png(7_000, 7_000))

    assert reason in {Refusal.TOO_DEMANDING, Refusal.CRASHED}
    assert narrow.hash_bytes(CAT) == hasher.hash_bytes(CAT)


def test_picture_beyond_the_time_of_the_fence_is_refused_and_the_next_one_is_right(alone, hasher):
    hasty, process = alone(Limits(seconds=1.0))
    process.suspend()

    assert refusal(hasty, CAT) == Refusal.TOO_DEMANDING
    assert not process.is_running()
    assert hasty.hash_bytes(CAT) == hasher.hash_bytes(CAT)


def test_picture_beyond_the_cpu_of_the_fence_is_refused(alone):
    frugal, process = alone(Limits(cpu_seconds=0))

    assert refusal(frugal, black_png(8_000, 8_000)) == Refusal.TOO_DEMANDING
    assert not process.is_running()


def test_crash_in_the_middle_is_told_and_the_next_picture_is_right(alone, hasher):
    hasher_of_one, process = alone()
    process.suspend()
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(refusal, hasher_of_one, CAT)
        process.kill()

        assert asked.result() == Refusal.CRASHED
    assert hasher_of_one.hash_bytes(CAT) == hasher.hash_bytes(CAT)


def test_process_that_died_while_idle_is_replaced_unseen(alone, hasher):
    hasher_of_one, process = alone()
    process.kill()
    process.wait()

    assert hasher_of_one.hash_bytes(CAT) == hasher.hash_bytes(CAT)


def test_process_outlives_the_thread_that_asked_first():
    with Hasher(processes=1) as hasher:
        before = children()
        first = threading.Thread(target=hasher.hash_bytes, args=[CAT])
        first.start()
        first.join()
        (process,) = children() - before
        hasher.hash_bytes(CAT)

        assert process.is_running()
        assert children() - before == {process}


def test_many_threads_get_each_its_own_picture(hasher):
    pictures = {name: encoded(photograph(name)) for name in NAMES}
    alone = {name: hasher.hash_bytes(data) for name, data in pictures.items()}

    with ThreadPoolExecutor(8) as threads:
        together = dict(
            zip(NAMES * 2, threads.map(hasher.hash_bytes, [*pictures.values()] * 2), strict=True)
        )

    assert together == alone


def test_fenced_process_knows_nothing_of_its_surroundings_and_writes_nothing(alone, monkeypatch):
    monkeypatch.setenv("BREAKWATER_SECRET", "bw_live_example")

    _, process = alone()

    assert "BREAKWATER_SECRET" not in process.environ()
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_AS)[1] == Limits().memory_bytes


def test_no_process_outlives_a_killed_caller():
    script = """
        import sys, time
        from matching.pictures import Hasher
        hasher = Hasher(processes=1)
        hasher.hash_file(sys.argv[1])
        print("ready", flush=True)
        time.sleep(60)
    """
    picture = resources.files("skimage").joinpath("data", "chelsea.png")
    caller = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", textwrap.dedent(script), str(picture)], stdout=subprocess.PIPE
    )
    assert caller.stdout
    assert caller.stdout.readline() == b"ready\n"
    (process,) = psutil.Process(caller.pid).children()

    caller.send_signal(signal.SIGKILL)
    caller.communicate()

    process.wait(timeout=10)
    assert not process.is_running()


def test_closed_hasher_leaves_no_process(alone):
    hasher, process = alone()

    hasher.close()

    assert not process.is_running()


def test_forked_child_may_not_share_the_pipes(hasher):
    hasher.hash_bytes(CAT)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            hasher.hash_bytes(CAT)
        except RuntimeError:
            os.write(write, b"refused")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)

    with os.fdopen(read, "rb") as told:
        assert told.read() == b"refused"


def test_files_are_hashed_in_their_order_and_a_bad_one_harms_no_other(hasher, tmp_path):
    good, bad, missing = tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "missing.png"
    good.write_bytes(CAT)
    bad.write_bytes(CAT[:1000])
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)

    results = hasher.hash_files([good, bad, missing, fifo, tmp_path, good])

    assert results[0] == results[5] == hasher.hash_bytes(CAT)
    assert [result.reason for result in results[1:5]] == [
        Refusal.DAMAGED,
        Refusal.NOT_A_FILE,
        Refusal.NOT_A_FILE,
        Refusal.NOT_A_FILE,
    ]


def test_overlong_file_is_not_read_to_its_end(hasher, tmp_path):
    sparse = tmp_path / "sparse.png"
    with sparse.open("wb") as file:
        file.truncate(10**12)

    with pytest.raises(RefusedPictureError) as refused:
        hasher.hash_file(sparse)

    assert refused.value.reason == Refusal.TOO_MANY_BYTES
