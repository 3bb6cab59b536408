# SPDX-License-Identifier: Apache-2.0
"""A small answer cannot become a large one."""

import gzip
import zlib

import pytest

from federation.errors import Alarm, RefusedError
from federation.transport.unpacking import unpacked

PACKED = gzip.compress(b"hello", mtime=0)


def refusal(body, encoding="gzip", max_bytes=100):
    with pytest.raises(RefusedError) as refused:
        unpacked(body, encoding, max_bytes)
    return refused.value.alarm


@pytest.mark.parametrize(
    ("body", "encoding"), [(b"hello", ""), (PACKED, "gzip"), (PACKED, "GZip")]
)
def test_an_honest_body_is_unpacked(body, encoding):
    assert unpacked(body, encoding, 5) == b"hello"


def test_an_empty_body_may_be_packed():
    assert unpacked(gzip.compress(b"", mtime=0), "gzip", 0) == b""


def test_a_bomb_is_refused():
    assert refusal(gzip.compress(bytes(10_000_000))) is Alarm.TOO_LARGE


def test_one_byte_too_many_is_refused():
    assert refusal(PACKED, max_bytes=4) is Alarm.TOO_LARGE


@pytest.mark.parametrize(
    "encoding", ["deflate", "br", "zstd", "x-gzip", "identity", "gzip, gzip", "gzip,", "gzip;q=1"]
)
def test_whatever_nobody_asked_for_is_refused(encoding):
    assert refusal(PACKED, encoding) is Alarm.TRANSPORT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        PACKED[:-1],
        PACKED[:-8] + bytes(8),
        PACKED + b"more",
        PACKED + PACKED,
        zlib.compress(b"hello"),
    ],
)
def test_a_broken_body_is_refused(body):
    assert refusal(body) is Alarm.TRANSPORT


def test_what_is_packed_twice_is_unpacked_once():
    assert unpacked(gzip.compress(PACKED, mtime=0), "gzip", 100) == PACKED
