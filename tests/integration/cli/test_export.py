# SPDX-License-Identifier: Apache-2.0
"""``breakwater export``: all of it, fit for a spreadsheet, fit to be imported again."""

import csv
import io
import json
import stat

import pytest

from hub.client import Client, Code, Contribution, Words
from tests.support.codes import code, pdq
from tests.unit.pictures.photographs import encoded, framed, photograph


@pytest.fixture
def said(run, hub, words, tmp_path):
    """A photograph with its derived code, a name like a formula, one withdrawn."""
    file = tmp_path / "framed.png"
    file.write_bytes(encoded(framed(photograph("coffee.png"))))
    run(
        "contribute",
        file,
        *words,
        "--external-id",
        "=1+1",
        "--case",
        "-7",
        "--expires",
        "2032-01-01",
    )
    derived = [f"pdq:{pdq(2)}", f"md5:{code('md5', 2)}"]
    run("contribute", "--code", derived[0], "--code", derived[1], "--quality", "77", *words)
    with Client(hub.url, hub.contributor) as client:
        said = Words((hub.set,), ("grooming",), "threat", "unknown", "report-confirmed")
        codes = (
            Code("pdq", pdq(3), quality=90),
            Code("pdq", pdq(4), "trim:border", 80),
            Code("sha256", code("sha256", 3)),
        )
        client.contribute(Contribution.of_codes(codes, said, external_id="'quoted"))
        gone = client.contribute(Contribution.of_codes((Code("md5", code("md5", 9)),), said))
        client.withdraw(gone.id)


def named(text):
    """What each record with a name says, but for its version and the order of its codes."""
    found = [one for one in map(json.loads, text.splitlines()) if "external_id" in one]
    for one in found:
        one["item"]["codes"].sort(key=str)
    return [{name: said for name, said in one.items() if name != "n"} for one in found]


@pytest.mark.usefixtures("said")
def test_ones_own_come_out_as_they_went_in(run, hub):
    ran = run("export", "--format", "ndjson")

    records = [json.loads(line) for line in ran.out.splitlines()]
    own = [one for one in hub.own() if one.state == "live"]
    assert [one["id"] for one in records] == [one.id for one in own]
    assert [one["item"]["codes"] for one in records] == [
        [code.body() for code in one.codes] for one in own
    ]
    assert records[0]["external_id"] == "=1+1"
    assert ran.err == "Wrote 3 rows.\n"
    assert ran.status == 0


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.usefixtures("said")
def test_what_was_exported_can_be_imported(run, tmp_path, form):
    before = run("export", "--own", "--format", "ndjson").out
    file = tmp_path / f"own.{form}"
    run("export", file, "--format", form)

    ran = run("import", file)

    # What has a name of its own is revised, to the same; the other is another.
    assert ran.status == 0
    after = run("export", "--format", "ndjson").out
    assert named(after) == named(before)
    assert [json.loads(line)["n"] for line in after.splitlines()] == [2, 1, 2, 1]


@pytest.mark.usefixtures("said")
def test_no_cell_is_a_formula(run):
    ran = run("export", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert rows[0]["external_id"] == "'=1+1"
    assert rows[0]["case"] == "'-7"
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in rows for cell in row.values())


@pytest.mark.usefixtures("said")
def test_what_has_ended_comes_when_it_is_asked_for_and_does_not_go_in_again(run, hub, tmp_path):
    file = tmp_path / "own.csv"

    run("export", file, "--format", "csv", "--ended")
    ran = run("import", file, "--json")

    assert (ran.told["kept"], ran.told["failed"]) == (3, 1)
    assert "withdrawn" in [one.state for one in hub.own()]


@pytest.mark.usefixtures("said")
def test_a_file_is_for_its_owner_and_its_rows_are_counted(run, tmp_path):
    file = tmp_path / "own.ndjson"

    ran = run("export", file, "--format", "ndjson", "--json")

    assert ran.told == {"file": str(file), "rows": 3}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes().splitlines()) == 3


@pytest.mark.usefixtures("said")
def test_a_set_is_exported_by_those_who_may_match_at_home(run, hub, reading):
    ran = run("export", "--set", hub.set, "--format", "ndjson", **reading)

    records = [json.loads(line) for line in ran.out.splitlines()]
    assert {one["standing"] for one in records} == {"review"}
    assert {pdq(2), pdq(3)} <= {code["code"] for one in records for code in one["item"]["codes"]}
    # The contributor's own words are its own.
    assert all("case" not in one["words"] for one in records)


@pytest.mark.usefixtures("said")
def test_what_others_say_is_not_imported_as_ones_own(run, hub, reading, tmp_path):
    for form, told in (("csv", 65), ("ndjson", 1)):
        file = tmp_path / f"set.{form}"
        assert run("export", file, "--set", hub.set, "--format", form, **reading).status == 0
        assert len(file.read_bytes().splitlines()) == (4 if form == "csv" else 3)

        assert run("import", file, **reading).status == told


@pytest.mark.usefixtures("said")
def test_a_set_that_one_may_not_take_home(run, hub, tmp_path):
    other = hub.house.set("other")
    file = tmp_path / "set.csv"

    ran = run("export", file, "--set", other, "--format", "csv")

    assert ran.status == 1
    assert "not visible to you" in ran.err
    # Nothing is left that looks like an export.
    assert list(tmp_path.glob("set.csv*")) == []


def test_videos_do_not_fit_into_csv_and_that_is_said(run, hub):
    said = Words((hub.set,), ("grooming",), "threat", "unknown", "report-confirmed")
    frames = tuple(Code("pdq", pdq(n), quality=90, at_ms=1000 * n) for n in range(3))
    with Client(hub.url, hub.contributor) as client:
        client.contribute(
            Contribution.of_codes((*frames, Code("md5", code("md5", 1))), said, kind="video")
        )

    ran = run("export", "--format", "csv")

    assert "no columns for the frames of 1 videos" in ran.err
    assert pdq(1) not in ran.out
    assert code("md5", 1) in ran.out


def test_a_wrong_call(run, hub, tmp_path):
    both = run("export", "--own", "--set", hub.set, "--format", "csv")
    nowhere = run("export", tmp_path / "no" / "own.csv", "--format", "csv")

    assert both.status == 2
    assert "Cannot write" in nowhere.err
    assert nowhere.status == 73
