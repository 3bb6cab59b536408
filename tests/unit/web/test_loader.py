# SPDX-License-Identifier: Apache-2.0
"""The strict loader: every trap of JSON by its name, and what is fine stays fine."""

import json
import time

import pytest

from hub.web.errors import MalformedBodyError
from hub.web.loader import load

TRAPS = {
    "nothing at all": (b"", "json-empty"),
    "no JSON": (b"{'a': 1}", "json-syntax"),
    "something after the value": (b"{} {}", "json-syntax"),
    "a trailing comma": (b"[1,]", "json-syntax"),
    "NaN": (b'{"a": NaN}', "json-number"),
    "Infinity": (b"[Infinity]", "json-number"),
    "minus Infinity": (b"[-Infinity]", "json-number"),
    "a real beyond all reals": (b"[1e400]", "json-number"),
    "an integer of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "json-number"),
    "an integer of 20 digits": (b"[12345678901234567890]", "json-number"),
    "the same key twice": (b'{"a": 1, "a": 2}', "json-duplicate-key"),
    "the same key twice, once escaped": (b'{"a": 1, "\\u0061": 2}', "json-duplicate-key"),
    "the same key twice, deep inside": (b'[{"b": {"a": 1, "a": 1}}]', "json-duplicate-key"),
    "an escaped NUL": (b'["a\\u0000b"]', "json-nul"),
    "an escaped NUL behind a backslash": (b'["\\\\\\u0000"]', "json-nul"),
    "an escaped NUL in a key": (b'{"\\u0000": 1}', "json-nul"),
    "a raw NUL in a string": (b'["a\x00b"]', "json-syntax"),
    "a raw newline in a string": (b'["a\nb"]', "json-syntax"),
    "a lone high surrogate": (b'["\\ud800"]', "json-surrogate"),
    "a lone low surrogate": (b'["\\udc00"]', "json-surrogate"),
    "a pair the wrong way round": (b'["\\udc00\\ud800"]', "json-surrogate"),
    "bytes that are no UTF-8": (b'["\xff"]', "json-encoding"),
    "a surrogate as UTF-8": (b'["\xed\xa0\x80"]', "json-encoding"),
    "an overlong form": (b'["\xc0\xaf"]', "json-encoding"),
    "UTF-16": ('["a"]'.encode("utf-16-le"), "json-syntax"),
    "a byte order mark": (b'\xef\xbb\xbf["a"]', "json-bom"),
    "arrays 100,000 deep": (b"[" * 100_000 + b"]" * 100_000, "json-depth"),
    "objects 100,000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json-depth"),
    "arrays 100,000 deep, never closed": (b"[" * 100_000, "json-depth"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_is_refused_by_its_own_name(trap):
    body, slug = TRAPS[trap]

    with pytest.raises(MalformedBodyError) as refused:
        load(body)

    assert [flaw.slug for flaw in refused.value.flaws] == [slug]


@pytest.mark.parametrize("trap", TRAPS)
def test_refusal_does_not_repeat_what_was_sent(trap):
    body, _ = TRAPS[trap]
    spiked = body.replace(b"a", b"canary").replace(rb"\u0061", rb"\u0063anary")

    with pytest.raises(MalformedBodyError) as refused:
        load(spiked)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b'"text"',
        b"[]",
        b'{"a": [1, 2.5, -3e2, true, false, null]}',
        b"[9223372036854775807]",
        b'["\\\\u0000"]',  # a backslash and the letters u0000: no NUL
        b'["\\ud83d\\ude00", "\\u00e9", "\xc3\xa9"]',
        b' \r\n\t{"a" : {"b" : []} } ',
        b"[" * 300 + b"]" * 300,
    ],
)
def test_plain_json_is_read_as_it_always_was(body):
    value = load(body)

    assert value == json.loads(body)


def test_strict_reading_of_650_kb_of_codes_costs_at_most_a_few_times_the_plain_one():
    body = json.dumps({"pdq": ["5a" * 32] * 9_700}).encode()
    assert len(body) > 650_000

    strict = min(_cost(load, body) for _ in range(20))
    plain = min(_cost(json.loads, body) for _ in range(20))

    assert strict < 4 * plain


def _cost(read, body):
    """The processor's time, not the wall's."""
    began = time.thread_time_ns()
    read(body)
    return time.thread_time_ns() - began
