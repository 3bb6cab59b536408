# SPDX-License-Identifier: Apache-2.0
"""``breakwater contribute`` and ``withdraw``: what was typed is what the hub keeps."""

import pytest
from PIL import Image

from hub.client import Client
from tests.support.codes import code, pdq
from tests.unit.pictures.photographs import encoded, photograph


@pytest.fixture
def pictures(tmp_path):
    files = []
    for name in ("astronaut.png", "coffee.png"):
        files.append(tmp_path / name)
        files[-1].write_bytes(encoded(photograph(name)))
    return files


@pytest.fixture
def flat(tmp_path):
    file = tmp_path / "flat.png"
    file.write_bytes(encoded(Image.new("RGB", (200, 200), "grey")))
    return file


def test_each_file_is_an_indicator_with_all_its_codes(run, hub, words, pictures):
    ran = run("contribute", *pictures, *words, "--json")

    assert [one["name"] for one in ran.told] == [str(file) for file in pictures]
    own = hub.own()
    assert [one["id"] for one in ran.told] == [one.id for one in own]
    signals = {code.signal for one in own for code in one.codes}
    assert signals == {"pdq", "phash", "md5", "sha1", "sha256"}
    assert ran.status == 0


SAID = """
    --harm trafficking --priority high --confidence medium --content-class nationally-illegal
    --synthetic no --country NO --country SE --class-ref iwf:A --ref ref-1 --case case-7
    --list list-3 --observed-at 2031-04-01T10:00:00+02:00 --expires 2032-01-31
    --external-id ours-1
""".split()  # noqa: SIM905 - as it is typed


def test_every_word_arrives(run, hub, words):
    ran = run("contribute", "--code", f"md5:{code('md5', 1)}", *words, *SAID)

    (own,) = hub.own()
    assert own.words == {
        "harm": ["grooming", "trafficking"],
        "use": "first-contact",
        "depicts": "no-person",
        "basis": "own-service-human",
        "assessed_by": 1,
        "priority": "high",
        "confidence": "medium",
        "content_class": "nationally-illegal",
        "synthetic": "no",
        "countries": ["NO", "SE"],
        "class_refs": ["iwf:A"],
        "refs": ["ref-1"],
        "case": "case-7",
        "list": "list-3",
        "observed_at": "2031-04-01T08:00:00+00:00",
    }
    assert own.expires == "2032-01-31T00:00:00+00:00"
    assert own.external_id == "ours-1"
    assert ran.status == 0


def test_one_that_is_refused_harms_no_other(run, hub, words, pictures, flat):
    broken = flat.with_name("broken.png")
    broken.write_bytes(pictures[0].read_bytes()[:2000])

    ran = run("contribute", pictures[0], flat, broken, pictures[1], *words, "--json")

    assert len(hub.own()) == 2
    assert f"{flat}: " in ran.err
    assert f"{broken}: The file is damaged or truncated." in ran.err
    assert ["refusal" in one for one in ran.told] == [False, True, True, False]
    assert ran.status == 1


def test_a_flat_picture_can_be_known_by_its_digests(run, hub, words, flat):
    assert run("contribute", flat, *words).status == 1
    assert run("contribute", flat, *words, "--digests-only").status == 0

    (own,) = hub.own()
    assert {code.signal for code in own.codes} == {"md5", "sha1", "sha256"}


def test_the_codes_of_one_picture(run, hub, words):
    codes = [f"pdq:{pdq(1)}", f"sha256:{code('sha256', 1)}"]

    ran = run(
        "contribute", "--code", codes[0], "--code", codes[1], "--quality", "88", *words, "--json"
    )

    (own,) = hub.own()
    assert [(one.signal, one.quality) for one in own.codes] == [("pdq", 88), ("sha256", None)]
    assert ran.told == [
        {"name": "codes", "id": own.id, "n": 1, "position": ran.told[0]["position"]}
    ]


def test_the_same_external_id_is_a_revision(run, hub, words):
    given = ["contribute", "--code", f"md5:{code('md5', 1)}", "--external-id", "a", *words]

    run(*given)
    ran = run(*given, "--json")

    (own,) = hub.own()
    assert ran.told[0]["n"] == own.n == 2


@pytest.mark.parametrize(
    ("account", "stdin"),
    [
        ("phone:+1-212-555-0123", b""),
        ("handle:example:some.body", b""),
        ("-", b"email:somebody@example.com\n"),
    ],
)
def test_an_account(run, hub, words, account, stdin):
    given = ["contribute", "--account", account, "--subject", "actor", "--case", "c1", *words]

    ran = run(*given, stdin=stdin)

    (own,) = hub.own()
    assert own.kind == "account"
    assert "555" not in ran.out
    assert "somebody" not in ran.out
    assert ran.status == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "Give files, or --code, or --account."),
        (["a.png", "--code", "md5:abc"], "Give files, or --code, or --account."),
        (["a.png", "b.png", "--external-id", "x"], "--external-id names one thing"),
        (["a.png", "--subject", "actor"], "An account needs a --subject"),
        (["--account", "phone:+1-212-555-0123"], "An account needs a --subject"),
        (["--account", "somebody@example.com", "--subject", "actor"], "An account is phone:VALUE"),
        (["--code", "md5:abc"], "md5: write exactly 32 lower-case hex digits"),
        (["--code", "photodna:abc"], "A code is SIGNAL:HEX"),
        (["a.png", "--expires", "tomorrow"], "Write a day"),
        (["a.png", "--expires", "2032-01-31T10:00:00"], "Say in which zone"),
        (["a.png", "--basis", "hearsay"], "is not one of"),
    ],
)
def test_a_wrong_call_is_told_without_what_was_given(run, hub, words, given, sentence):
    ran = run("contribute", *words, *given)

    assert sentence in ran.err
    assert "somebody@" not in ran.err
    assert ran.status == 2
    assert hub.own() == []


def test_withdrawing_is_for_ones_own_and_happens_once(run, hub, words, reading):
    run("contribute", "--code", f"md5:{code('md5', 1)}", *words)
    (own,) = hub.own()

    others = run("withdraw", own.id, **reading)
    first = run("withdraw", own.id, "--reason", "outdated", "--json")
    again = run("withdraw", own.id)

    assert others.status == again.status == 1
    assert "not live any more" in again.err
    assert (first.told["id"], first.told["n"], first.status) == (own.id, 2, 0)
    with Client(hub.url, hub.contributor) as client:
        assert client.get(own.id).state == "withdrawn"


def test_a_withdrawal_says_what_it_withdrew(run, hub, words):
    run("contribute", "--code", f"md5:{code('md5', 1)}", *words)
    (own,) = hub.own()

    assert run("withdraw", own.id).out == f"Withdrawn: {own.id}, version 2.\n"
