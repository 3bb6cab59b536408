# SPDX-License-Identifier: Apache-2.0
"""Controls: every way in which an index may be wrong about them is seen."""

from dataclasses import replace

import numpy as np
import pytest

from matching.batches import words_of
from matching.controls import COUNTS, control_chunks, control_codes
from matching.engine import Engine
from matching.ports import GONE
from matching.search import kernels
from matching.search.segment import Segment
from matching.search.table import State, Table
from matching.signals import ORDER, PDQ, SIGNALS
from tests.fakes.rows import chunk_of, engine_of, snapshot_of

KINDS = list(COUNTS)


def test_control_codes_never_change_for_hubs_have_stored_them():
    assert control_codes(PDQ, "known").hex()[:16] == "4b4f0b8953ec58ba"
    assert control_codes(SIGNALS["md5"], "probe").hex()[:16] == "cd56c45e1fd7be17"


@pytest.mark.parametrize("signal", ORDER, ids=lambda signal: signal.name)
def test_control_codes_are_apart_from_one_another(signal):
    codes = words_of(signal, b"".join(control_codes(signal, kind) for kind in KINDS))
    assert len(codes) == sum(COUNTS.values())

    distances = np.bitwise_count(codes[:, None] ^ codes[None]).sum(axis=2, dtype=int)

    assert np.flatnonzero(distances.ravel() <= signal.near + 1).tolist() == [
        i * (len(codes) + 1) for i in range(len(codes))
    ]


def test_pdq_controls_weigh_what_true_hashes_weigh():
    for kind in KINDS:
        codes = words_of(PDQ, control_codes(PDQ, kind))
        assert set(np.bitwise_count(codes).sum(axis=1).tolist()) == {128}


def test_controls_pass_in_an_engine_that_holds_them():
    assert engine_of(control_chunks(ORDER)).controls_ok()
    assert not engine_of([]).controls_ok()


@pytest.mark.parametrize("signal", ORDER, ids=lambda signal: signal.name)
@pytest.mark.parametrize("row", range(COUNTS["known"]))
def test_a_missing_or_hidden_control_is_seen(signal, row):
    chunks = control_chunks(ORDER)
    place = ORDER.index(signal)
    for label in (GONE, 2):
        tags = chunks[place].tags.copy()
        tags[row] = label
        spoilt = [*chunks[:place], replace(chunks[place], tags=tags), *chunks[place + 1 :]]
        assert not engine_of(spoilt).controls_ok()


@pytest.mark.parametrize("signal", ORDER, ids=lambda signal: signal.name)
def test_an_index_that_finds_what_is_not_there_is_seen(signal):
    chunks = control_chunks(ORDER)
    unknown = chunk_of(signal, words_of(signal, control_codes(signal, "unknown")))

    assert not engine_of([*chunks, unknown]).controls_ok()


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("kernel", ["near_by_one", "near_by_two"])
def test_a_radius_wrong_by_one_bit_is_seen(monkeypatch, by, kernel):
    engine = Engine()
    young = {
        chunk.signal: Table.of(SIGNALS[chunk.signal], [chunk]) for chunk in control_chunks(ORDER)
    }
    engine.begin(State("t", 1, young))
    assert engine.controls_ok()
    true = getattr(kernels, kernel)
    monkeypatch.setattr(kernels, kernel, lambda s, radius, *rest: true(s, radius + by, *rest))

    assert not engine.controls_ok()


@pytest.mark.parametrize("by", [-1, 1])
def test_a_radius_of_segments_wrong_by_one_bit_is_seen(monkeypatch, by):
    engine = engine_of(control_chunks(ORDER))
    true = Segment.reach
    monkeypatch.setattr(Segment, "reach", lambda segment, radius: true(segment, radius + by))

    assert not engine.controls_ok()


def test_an_engine_of_some_signals_asks_only_for_those():
    engine = Engine([PDQ])
    engine.load(snapshot_of(control_chunks(ORDER)))

    assert engine.controls_ok()
