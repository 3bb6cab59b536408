# SPDX-License-Identifier: Apache-2.0
"""What is written into cells is read out of them, and no spreadsheet takes it for a formula."""

import csv

from hypothesis import given, strategies as st

from hub.cli.rows import Csv
from hub.cli.spreadsheets import (
    COLUMNS,
    BadRowError,
    codes_cells,
    contribution_of,
    guarded,
    line_of,
    unguarded,
    words_cells,
)
from matching.derivations import NAMES
from tests.support.codes import code

DANGEROUS = tuple("=+-@\t\r")
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
REFERENCE = st.from_regex(r"[A-Za-z0-9._:/\-]{1,20}", fullmatch=True)
WORD = st.sampled_from(["grooming", "threat", "unknown", "own-service-human"])


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\na1"), max_size=6) | st.text(max_size=6))
def test_a_guard_hides_formulas_and_comes_off_again(text):
    assert not guarded(text).startswith(DANGEROUS)
    assert unguarded(guarded(text)) == text


def codes():
    signals = st.sampled_from(["pdq", "phash", "md5", "sha1", "sha256"])
    derived = st.builds(
        lambda signal, name, quality: {
            "signal": signal,
            "code": code(signal, name),
            "derived": name,
            **({} if quality is None else {"quality": quality}),
        },
        st.sampled_from(["pdq", "phash"]),
        st.sampled_from(list(NAMES.values())),
        st.none() | st.integers(0, 100),
    )
    plain = st.sets(signals, min_size=1).map(
        lambda names: [
            {"signal": name, "code": code(name, 1), **({"quality": 90} if name == "pdq" else {})}
            for name in ("pdq", "phash", "md5", "sha1", "sha256")
            if name in names
        ]
    )
    return st.tuples(plain, st.lists(derived, max_size=3)).map(lambda both: both[0] + both[1])


CONTRIBUTION = st.fixed_dictionaries(
    {
        "item": st.fixed_dictionaries({"kind": st.just("picture"), "codes": codes()}),
        "sets": st.lists(REFERENCE, min_size=1, max_size=3),
        "harm": st.lists(WORD, min_size=1, max_size=3),
        "use": WORD,
        "depicts": WORD,
        "basis": WORD,
    },
    optional={
        "external_id": VISIBLE.filter(lambda text: text.strip() == text),
        "assessed_by": st.integers(0, 3),
        "countries": st.lists(st.sampled_from(["NO", "SE"]), min_size=1, max_size=2),
        "case": REFERENCE,
        "list": REFERENCE,
        "expires": st.just("2032-01-31T10:00:00+00:00"),
    },
)


@given(CONTRIBUTION)
def test_a_contribution_survives_a_spreadsheet(contribution):
    # Given a contribution written as a line of CSV
    cells = {
        **contribution,
        **words_cells(contribution),
        **codes_cells(contribution["item"]["codes"]),
        "kind": "picture",
        "sets": " ".join(contribution["sets"]),
    }
    line = line_of([cells.get(name) for name in COLUMNS])

    # Then none of its cells is a formula, and it is read as what it was.
    assert not any(cell.startswith(DANGEROUS) for cell in next(csv.reader([line])))
    assert Csv(list(COLUMNS), ",").parse(line.encode()) == contribution


@given(st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.text(min_size=1), max_size=8))
def test_whatever_stands_in_the_cells_it_is_read_or_refused(cells):
    line = line_of([cells.get(name) for name in COLUMNS])

    try:
        made = Csv(list(COLUMNS), ",").parse(line.encode())
    except BadRowError as error:
        # It says where, never what.
        made, said = None, str(error)
    else:
        said = ""

    assert made is None or "item" in made
    assert not any(len(cell) > 3 and cell in said for cell in cells.values())


def test_a_day_is_a_moment():
    assert contribution_of({"expires": "2032-01-31"})["expires"] == "2032-01-31T00:00:00Z"
