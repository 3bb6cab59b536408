# SPDX-License-Identifier: Apache-2.0
"""Codes are read strictly, and no error ever carries one."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import matching
from matching.batches import Batch, Part, bytes_of, parse_codes, words_of
from matching.errors import MalformedBatchError, MalformedHashError, UnknownSignalError
from matching.signals import INDEX, ORDER, PDQ, SHA1, SIGNALS, signal_named

every_signal = pytest.mark.parametrize("signal", ORDER, ids=lambda signal: signal.name)


def test_the_order_of_signals_is_part_of_every_stored_digest():
    assert [(s.name, s.bits, s.near) for s in ORDER] == [
        ("pdq", 256, 31),
        ("phash", 64, 6),
        ("md5", 128, 0),
        ("sha1", 160, 0),
        ("sha256", 256, 0),
        ("account", 128, 0),
        ("vpdq", 256, 31),
    ]
    assert list(SIGNALS) == list(INDEX) == [signal.name for signal in ORDER]
    assert [s.name for s in ORDER if not s.strong] == ["phash"]
    assert PDQ.quality_floor == 50


def test_an_unknown_signal_is_named_by_nobody():
    assert signal_named("pdq") is PDQ
    for name in ("PDQ", "secret", ""):
        with pytest.raises(UnknownSignalError) as caught:
            signal_named(name)
        assert not name or name not in str(caught.value)


def malformed(signal):
    good = "0123456789abcdef" * 8
    text = good[: signal.width * 2]
    return {
        "short": text[:-1],
        "a byte short": text[:-2],
        "long": text + "0",
        "a byte long": text + "00",
        "empty": "",
        "upper case": text[:-1] + "F",
        "not hex": text[:-1] + "g",
        "new line after": text + "\n",
        "new line within": text[:-1] + "\n",
        "space within": text[:-2] + " 0",
        "prefix": "0x" + text[2:],
        "full-width digit": text[:-1] + "\uff10",
        "arabic digit": text[:-1] + "\u0663",
        "nul": text[:-1] + "\0",
        "lone surrogate": text[:-1] + "\ud800",
        "bytes": text.encode(),
        "number": 7,
        "nothing": None,
        "list": [text],
    }


@every_signal
@pytest.mark.parametrize("case", malformed(PDQ))
def test_anything_but_exact_lower_case_hex_is_refused_and_withheld(signal, case):
    text = malformed(signal)[case]
    good = "0" * (signal.width * 2)

    with pytest.raises(MalformedHashError) as one:
        signal.parse(text)
    with pytest.raises(MalformedHashError) as many:
        parse_codes(signal, [good, good, text, text, good])

    assert (one.value.signal, one.value.index) == (signal.name, None)
    assert many.value.index == 2
    for error in (one.value, many.value):
        assert "0123456789" not in str(error) + repr(error.args)


def test_lengths_that_cancel_out_are_refused():
    with pytest.raises(MalformedHashError) as caught:
        parse_codes(PDQ, ["0" * 64, "0" * 62, "0" * 66])

    assert caught.value.index == 1


@every_signal
@given(data=st.data())
def test_codes_survive_the_way_in_and_out(signal, data):
    codes = data.draw(
        st.lists(st.binary(min_size=signal.width, max_size=signal.width), max_size=5)
    )

    words = parse_codes(signal, [code.hex() for code in codes])

    assert words.shape == (len(codes), signal.words)
    assert bytes_of(signal, words) == b"".join(codes)
    assert [signal.parse(code.hex()) for code in codes] == codes
    for row, code in zip(words.tolist(), codes, strict=True):
        padded = code + bytes(signal.words * 8 - signal.width)
        assert row == [int.from_bytes(padded[i : i + 8], "big") for i in range(0, len(padded), 8)]


@pytest.mark.parametrize("length", [1, 19, 21])
def test_bytes_that_are_no_whole_codes_are_refused(length):
    with pytest.raises(MalformedBatchError):
        words_of(SHA1, bytes(length))


@pytest.mark.parametrize(
    ("codes", "items", "derivations"),
    [((2, 3), 2, 2), ((2, 4), 1, 2), ((2, 4), 2, 3), ((2,), 2, 2)],
)
def test_arrays_of_a_part_must_fit_together(codes, items, derivations):
    with pytest.raises(MalformedBatchError):
        Part(
            PDQ,
            np.zeros(codes, np.uint64),
            np.zeros(items, np.uint32),
            np.zeros(derivations, np.uint8),
        )


def part(items):
    return Part(
        PDQ, np.zeros((1, 4), np.uint64), np.array([items], np.uint32), np.zeros(1, np.uint8)
    )


def test_a_batch_has_one_part_a_signal_and_no_item_beyond_its_count():
    Batch((part(3),), 4)
    Batch((), 0)

    with pytest.raises(MalformedBatchError):
        Batch((part(3), part(2)), 4)
    with pytest.raises(MalformedBatchError):
        Batch((part(4),), 4)


def test_public_names_are_all_there_and_others_are_not():
    for name in matching.__all__:
        assert getattr(matching, name) is not None
    with pytest.raises(AttributeError):
        matching.nothing  # noqa: B018  # asking is the point
