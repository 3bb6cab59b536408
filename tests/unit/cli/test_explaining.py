# SPDX-License-Identifier: Apache-2.0
"""``index explain`` tells the planner's own choice, and refuses what makes no sense."""

import json

import pytest
from click.testing import CliRunner

from hub.cli.explaining import explain
from matching.search.explaining import explain as explained
from matching.search.planning import choose


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BREAKWATER_DATA", str(tmp_path))
    monkeypatch.setenv("BREAKWATER_INDEX_MEMORY", "100000")
    return lambda *words: CliRunner().invoke(explain, words)


@pytest.mark.parametrize(
    ("rows", "bits", "radius", "budget"),
    [(1, 64, 0, None), (10, 256, 31, None), (1_000_000, 256, 31, 100 << 20), (10**8, 128, 48, 1)],
)
def test_what_is_told_as_chosen_is_what_the_planner_chooses(rows, bits, radius, budget):
    found = explained(rows, bits, radius, budget=budget)

    assert found.chosen == choose(rows, bits, radius, budget=budget)
    assert list(found.fitting) == sorted(found.fitting, key=lambda one: one.nanoseconds)
    assert all(one.bytes <= found.allowed for one in found.fitting)
    if found.lacking is not None:
        assert found.lacking.bytes > found.allowed
        assert found.lacking.nanoseconds < found.chosen.nanoseconds


def test_json_names_the_chosen_one_its_memory_and_why(run):
    done = run("--codes", "1000000", "--memory", "100M", "--json")

    told = json.loads(done.stdout)
    expected = choose(1_000_000, 256, 31, budget=100 << 20)
    assert told["chosen"]["bytes"] == expected.bytes
    assert (told["chosen"]["parts"], told["chosen"]["width"]) == (
        expected.plan.parts,
        expected.plan.width,
    )
    assert told["allowed_bytes"] == 100 << 20
    assert told["does_not_fit"]["bytes"] > 100 << 20
    assert told["reason"] == "The fastest of those that fit into the memory allowed."


def test_a_table_marks_the_chosen_one_and_what_does_not_fit(run):
    done = run("--codes", "1000000", "--memory", "100M")

    lines = done.stdout.splitlines()
    assert sum(line.rstrip().endswith("chosen") for line in lines) == 1
    assert sum(line.rstrip().endswith("does not fit") for line in lines) == 1


def test_a_signal_brings_its_own_bits_and_radius(run):
    told = json.loads(run("--codes", "5000", "--signal", "md5", "--json").stdout)
    other = json.loads(run("--codes", "5000", "--bits", "64", "--radius", "10", "--json").stdout)

    assert (told["bits"], told["radius"]) == (128, 0)
    assert (other["bits"], other["radius"]) == (64, 10)


@pytest.mark.parametrize(
    "words",
    [
        ("--codes", "0"),
        ("--codes", "5", "--radius", "49"),
        ("--codes", "5", "--bits", "63"),
        ("--codes", "5", "--bits", "64", "--signal", "pdq"),
        ("--codes", "5", "--signal", "nothing"),
        ("--codes", "5", "--memory", "lots"),
        ("--codes", "5", "--memory", "0G"),
        ("--radius", "5"),
    ],
)
def test_what_makes_no_sense_is_refused(run, words):
    done = run(*words)

    assert done.exit_code == 2
    assert "Error" in done.output


def test_without_an_index_it_says_what_to_do(run):
    done = run()

    assert done.exit_code != 0
    assert "No index lies on this machine" in str(done.exception) + done.output
