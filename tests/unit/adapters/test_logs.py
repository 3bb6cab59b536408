# SPDX-License-Identifier: Apache-2.0
import io
import json
import logging
import string

import pytest
import structlog
from hypothesis import given, strategies as st

from hub.adapters import logs

PDQ = "f8f8f0cce0f4e84d0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22"
SECRETS = [
    PDQ,
    PDQ.upper(),
    PDQ[:16],
    "bw_live_abcdefghijklmnopqrstuvwxyz_abcdefghijkl",
    "bw_test_a_b",
    "someone@example.com",
    "some.one+tag@mail.example.com",
    "+1-555-0100",
    "+1 (555) 010-0123",
    "(555) 555-0100",
    "postgresql://hub:hush@db.example.com/hub",
]
HARMLESS = [
    "ind_abcdefghijklmnopqrstuvwxyz"[:30],
    "op_22222222222222222222222222",
    "/v1/indicators/{id}",
    "contribution_accepted",
    "127.0.0.1:8080",
    "pdq",
    "2026-11-22",
    "0001",
]


@pytest.fixture
def written():
    """Log to memory, and put logging back as it was."""
    before = logging.root.handlers[:], logging.root.level
    stream = io.BytesIO()
    logs.configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.handlers[:], logging.root.level = before
    structlog.reset_defaults()


def fail():
    raise LookupError(PDQ) from ValueError("someone@example.com")


def log():
    return structlog.get_logger("test")


def test_event_is_one_json_line_with_level_and_time(written):
    log().info("changes_applied", count=3, position=7)

    (line,) = written()

    assert line["event"] == "changes_applied"
    assert line["level"] == "info"
    assert (line["count"], line["position"]) == (3, 7)
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["{}", "before {} after", "key={}", "[{}]"])
def test_secret_is_withheld_even_in_a_known_field(written, secret, place):
    log().info("something", name=place.format(secret))

    text = json.dumps(written())

    assert secret not in text
    assert logs.WITHHELD in text


@pytest.mark.parametrize("secret", SECRETS)
def test_secret_is_withheld_in_nested_values_and_in_the_event(written, secret):
    log().info(f"met {secret}", sets=[secret, {"inner": secret}, {secret: 1}])

    assert secret not in json.dumps(written())


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(written, text):
    log().info("something", name=text)

    assert written()[0]["name"] == text


def test_unknown_field_is_left_out_and_named(written):
    log().info("something", count=1, body="anything", password="hush")  # noqa: S106 - not one

    (line,) = written()

    assert "body" not in line
    assert "hush" not in json.dumps(line)
    assert line["withheld"] == ["body", "password"]
    assert line["count"] == 1


@pytest.mark.parametrize("value", [b"\x00" * 32, object(), ValueError(PDQ), bytearray(3)])
def test_value_that_is_not_plain_is_withheld(written, value):
    log().info("something", name=value)

    assert written()[0]["name"] == logs.WITHHELD


def test_exception_is_told_by_type_and_place_without_its_message(written):
    try:
        fail()
    except LookupError:
        log().exception("request_failed")

    (line,) = written()

    assert line["error"] == "LookupError"
    assert line["cause"] == "ValueError"
    assert "test_logs.py" in line["places"][-1]
    assert line["places"][-1].endswith("fail")
    assert PDQ not in json.dumps(line)
    assert "example.com" not in json.dumps(line)


def test_message_of_a_library_goes_the_same_way(written):
    try:
        fail()
    except LookupError:
        logging.getLogger("some.library").exception("failed for %s", "someone@example.com")

    (line,) = written()

    assert line["logger"] == "some.library"
    assert line["level"] == "error"
    assert line["error"] == "LookupError"
    assert PDQ not in json.dumps(line)
    assert "someone" not in json.dumps(line)


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x1b[31mred", "\u202eright-to-left", "\x00"])
def test_odd_characters_stay_in_their_line(written, text):
    log().info("something", name=text)

    (line,) = written()

    assert line["name"] == text


def test_lower_levels_are_left_out(written):
    logs.configure("warning", stream := io.BytesIO())

    log().info("something")
    log().warning("something_else")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "something_else"
    ]
    assert written() == []


@given(
    st.text(max_size=20),
    st.text(alphabet=string.hexdigits, min_size=16, max_size=300),
    st.text(max_size=20),
)
def test_no_run_of_hex_digits_long_enough_for_a_code_passes(before, code, after):
    assert code not in logs.scrubbed(before + code + after)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_whatever_is_logged_becomes_one_line(value):
    line = logs._render(None, "info", logs.redact(None, "info", {"name": value}))  # noqa: SLF001 - the last step

    assert b"\n" not in line
    assert "name" in json.loads(line)
