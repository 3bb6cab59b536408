# SPDX-License-Identifier: Apache-2.0
"""``breakwater import``: every good row once, every bad one told, whatever happens meanwhile."""

import csv
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hub.client import Retry
from tests.support.codes import code, pdq

ROOT = Path(__file__).parents[3]
HEADER = "pdq,quality,md5,harm,use,depicts,basis,assessed_by,sets"
PATIENCE = 120.0


def row(seed, hub, **changed):
    cells = {
        "pdq": pdq(seed),
        "quality": "90",
        "md5": code("md5", seed),
        "harm": "grooming solicitation",
        "use": "first-contact",
        "depicts": "no-person",
        "basis": "own-service-human",
        "assessed_by": "1",
        "sets": hub.set,
    }
    return ",".join({**cells, **changed}.values())


@pytest.fixture
def write(tmp_path):
    def written(*lines, name="given.csv"):
        file = tmp_path / name
        file.write_bytes(b"\n".join(lines if isinstance(lines[0], bytes) else _encoded(lines)))
        return file

    return written


def _encoded(lines):
    return [line.encode() for line in lines]


def errors_of(file):
    with file.with_name(f"{file.name}.errors.csv").open(newline="") as told:
        return list(csv.DictReader(told))


def digests(hub):
    """How often each md5 stands in the hub."""
    return Counter(one.code for own in hub.own() for one in own.codes if one.signal == "md5")


BAD = {
    17: {"md5": "abc"},
    500: {"harm": "rudeness"},
    999: {"sets": "set_" + "a" * 26},
    1000: {"quality": "12"},
    1001: {"pdq": "f" * 64},
    2500: {"assessed_by": "many"},
    2999: {"quality": "90,90"},
}
"""Rows that are wrong, by number from 0: at the hub and here, beside the border of a chunk."""


@pytest.fixture
def three_thousand(hub, write):
    return write(HEADER, *(row(number, hub, **BAD.get(number, {})) for number in range(3000)))


def test_three_thousand_rows_of_which_seven_are_bad(run, hub, three_thousand):
    ran = run("import", three_thousand, "--json")

    assert ran.told == {
        "file": str(three_thousand),
        "rows": 3000,
        "kept": 2993,
        "failed": 7,
        "done_before": 0,
        "errors": f"{three_thousand}.errors.csv",
    }
    assert ran.status == 1
    good = [code("md5", number) for number in range(3000) if number not in BAD]
    assert digests(hub) == Counter(good)
    told = errors_of(three_thousand)
    # The line in the file: one from 1, and the header is the first.
    assert [int(one["row"]) for one in told] == [number + 2 for number in BAD]
    assert [one["type"] for one in told] == [
        "malformed-code",
        "invalid-value",
        "unknown-set",
        "low-quality",
        "impossible-pdq",
        "invalid-value",
        "malformed-row",
    ]
    assert told[5]["field"] == "assessed_by"
    text = three_thousand.with_name(f"{three_thousand.name}.errors.csv").read_text()
    assert "rudeness" not in text
    assert pdq(500) not in text

    # Again: nothing is sent, and the same is told.
    batches = hub.door.batches
    again = run("import", three_thousand, "--json")
    assert again.told == {**ran.told, "done_before": 3000}
    assert hub.door.batches == batches
    assert errors_of(three_thousand) == told


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_import_that_is_killed_goes_on_with_nothing_twice(
    run, hub, three_thousand, environment, moment
):
    # Given an import that is killed at its second chunk: before the hub has handled it, or when
    # the hub has committed it and the answer is on its way.
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "hub.cli", "import", str(three_thousand)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )

    def kill(number):
        if number == 2:
            process.kill()
            process.wait(PATIENCE)

    setattr(hub.door, moment, kill)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, err

    # When it is run again
    ran = run("import", three_thousand, "--json")

    # Then it goes on behind the first chunk, and every good row is there once.
    assert ran.told["done_before"] == 1000
    assert (ran.told["kept"], ran.told["failed"]) == (2993, 7)
    good = [code("md5", number) for number in range(3000) if number not in BAD]
    assert digests(hub) == Counter(good)
    assert [int(one["row"]) for one in errors_of(three_thousand)] == [n + 2 for n in BAD]


@pytest.mark.parametrize("lost", [1, 30, 10_000])
def test_a_torn_record_of_progress_repeats_nothing(run, hub, write, lost):
    file = write(HEADER, *(row(number, hub) for number in range(4)), row(5, hub, md5="x"))
    first = run("import", file, "--json")
    journal = file.with_name(f"{file.name}.breakwater-progress")

    os.truncate(journal, max(0, journal.stat().st_size - lost))
    again = run("import", file, "--json")

    assert again.told == first.told
    assert len(hub.own()) == 4
    assert len(errors_of(file)) == 1


def test_restarting_repeats_nothing_while_the_hub_remembers(run, hub, write):
    file = write(HEADER, *(row(number, hub) for number in range(4)))

    run("import", file)
    ran = run("import", file, "--restart", "--json")

    assert (ran.told["rows"], ran.told["done_before"]) == (4, 0)
    assert len(hub.own()) == 4


def test_lost_errors_are_told_again(run, hub, write):
    file = write(HEADER, row(1, hub), row(2, hub, use="x"))
    run("import", file)
    told = errors_of(file)

    file.with_name(f"{file.name}.errors.csv").unlink()
    ran = run("import", file)

    assert errors_of(file) == told
    assert len(hub.own()) == 1
    assert ran.status == 1


def test_a_file_that_was_changed_is_another_import(run, hub, write):
    run("import", write(HEADER, row(1, hub)))

    file = write(HEADER, row(1, hub), row(2, hub))
    ran = run("import", file)

    assert "--restart begins anew" in ran.err
    assert ran.status == 65
    assert len(hub.own()) == 1
    assert run("import", file, "--restart").status == 0


def test_two_at_once_are_refused(run, hub, write):
    file = write(HEADER, row(1, hub))
    with file.with_name(f"{file.name}.breakwater-progress").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        ran = run("import", file)

    assert "is being imported by another process" in ran.err
    assert ran.status == 75


def test_a_hub_that_goes_away_is_gone_on_with_later(run, hub, three_thousand, monkeypatch):
    monkeypatch.setattr("hub.cli.transfers._PATIENT", Retry(attempts=1))

    hub.door.hung_up = 2
    ran = run("import", three_thousand)

    assert "1,000 rows are done; run it again to go on." in ran.err
    assert ran.status == 69
    assert run("import", three_thousand).out.startswith(
        "3,000 rows, 1,000 of them done before: 2,993 kept, 7 refused."
    )


def test_where_every_row_is_bad_every_row_is_told(run, hub, write):
    # More than a refusal lists: it tells of a hundred flaws, and these have several each.
    lines = [row(number, hub, use="x", depicts="y", basis="z") for number in range(250)]
    file = write(HEADER, *lines)

    ran = run("import", file, "--json")

    assert ran.told["failed"] == 250
    assert [int(one["row"]) for one in errors_of(file)] == list(range(2, 252))
    assert all(
        one["type"] == "unknown-word" or one["type"] == "invalid-value" for one in errors_of(file)
    )
    assert hub.own() == []


BROKEN = {
    "a quotation mark that is never closed": b'"' + b"0" * 64,
    "too many cells": b",".join([b""] * 20),
    "not UTF-8": b"\xff\xfe,,,,,,,,",
    "a NUL": b"\0,,,,,,,,",
    "a return": b"a\rb,,,,,,,,",
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_line_that_is_no_row_is_its_own_error(run, hub, write, line):
    good = [row(number, hub).encode() for number in range(2)]

    file = write(HEADER.encode(), good[0], line, good[1])
    ran = run("import", file, "--json")

    assert (ran.told["kept"], ran.told["failed"]) == (2, 1)
    assert [(one["row"], one["type"]) for one in errors_of(file)] == [("3", "malformed-row")]


def test_a_line_without_end_is_its_own_error(run, hub, write, monkeypatch):
    monkeypatch.setattr("hub.cli.rows.LONGEST_LINE", 1000)

    file = write(HEADER, row(0, hub), "x" * 2500, row(1, hub))
    ran = run("import", file, "--json")

    assert (ran.told["kept"], ran.told["failed"]) == (2, 1)
    assert [(one["row"], one["type"]) for one in errors_of(file)] == [("3", "too-large")]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_a_spreadsheet_saves_is_read(run, hub, write, separator):
    lines = [HEADER.upper(), row(0, hub), "", ",,,,,,,,", row(1, hub)]
    text = [line.replace(",", separator) for line in lines]

    file = write("\ufeff" + "\r\n".join(text) + "\r\n")

    assert run("import", file, "--json").told["kept"] == 2


def test_rows_that_name_no_set_go_into_the_one_of_the_command(run, hub, write):
    header = HEADER.removesuffix(",sets")
    file = write(header, row(0, hub).rpartition(",")[0])

    refused = run("import", file)
    ran = run("import", file, "--set", hub.set)

    assert "There is no column sets." in refused.err
    assert refused.status == 65
    assert ran.status == 0
    assert hub.own()[0].sets == (hub.set,)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["harm,use,depicts,basis,sets,colour"], "Column 6 of the first line is not a name"),
        (["harm,use,harm,depicts,basis,sets"], "The column harm is there twice."),
        (["harm,sets"], "There is no column use, depicts, basis."),
        (["0" * 64], "Column 1 of the first line is not a name"),
        ([b"\xff\xfeh\0"], "Save the file as CSV in UTF-8."),
    ],
)
def test_a_file_that_is_none_of_contributions(run, write, lines, sentence):
    ran = run("import", write(*lines))

    assert sentence in ran.err
    assert "0" * 64 not in ran.err
    assert ran.status == 65


def test_a_file_that_is_not_there_or_not_known(run, tmp_path):
    missing = run("import", tmp_path / "missing.csv")
    (tmp_path / "given.xlsx").write_bytes(b"")
    other = run("import", tmp_path / "given.xlsx")

    assert "missing.csv: no such file or directory" in missing.err
    assert "must end in .csv or .ndjson" in other.err
    assert missing.status == other.status == 65


def test_an_account_is_a_row_too(run, hub, write):
    file = write(
        "account_kind,account_value,subject,case,harm,use,depicts,basis,sets",
        f"phone,'+1-212-555-0123,actor,c1,grooming,first-contact,unknown,own-service-human,{hub.set}",
    )

    assert run("import", file).status == 0
    assert [one.kind for one in hub.own()] == ["account"]


def test_ndjson_rows_are_objects_of_the_api(run, hub, write):
    def body(seed, **changed):
        said = {
            "item": {"kind": "picture", "codes": [{"signal": "md5", "code": code("md5", seed)}]},
            "harm": ["grooming"],
            "use": "first-contact",
            "depicts": "no-person",
            "basis": "own-service-human",
            "sets": [hub.set],
        }
        return json.dumps({**said, **changed})

    # Given lines of which each would spoil a whole request, between good ones
    bad = {
        '{"item": ': "json-syntax",
        '{"use": NaN}': "json-number",
        '{"use": 1, "use": 2}': "json-duplicate-key",
        '{"case": "\\u0000"}': "json-nul",
        '{"case": "\\ud800"}': "json-surrogate",
        "[" * 500 + "]" * 500: "malformed-row",
        '{"refs": ' + "[" * 500 + "]" * 500 + "}": "malformed-row",
        '{"assessed_by": -9999999999999999999}': "json-number",
        "[]": "malformed-row",
        body(9, state="withdrawn"): "not-live",
        body(9, colour="red"): "unknown-field",
    }
    file = write(body(0), *bad, "", body(1), name="given.ndjson")

    ran = run("import", file, "--json")

    assert (ran.told["kept"], ran.told["failed"]) == (2, len(bad))
    assert [one["type"] for one in errors_of(file)] == list(bad.values())


def test_the_columns_are_printed_without_a_key(run):
    ran = run("import", "--columns", BREAKWATER_KEY=None)

    assert "external_id" in ran.out
    assert ran.status == 0


def test_a_bar_is_shown_where_somebody_watches(hub, write, environment):
    file = write(HEADER, row(1, hub))
    watched, stderr = pty.openpty()
    process = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "hub.cli", "import", str(file)],
        cwd=ROOT,
        env={**os.environ, **environment, "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        timeout=PATIENCE,
        check=True,
    )
    os.close(stderr)
    shown = os.read(watched, 100_000).decode()
    os.close(watched)

    assert "Importing" in shown
    assert "100%" in shown
    assert process.stdout == b"1 rows: 1 kept, 0 refused.\n"
