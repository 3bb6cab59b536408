# SPDX-License-Identifier: Apache-2.0
"""How answers are read: nothing in another's place, nothing clear that is not."""

import inspect
from datetime import UTC, datetime, timedelta, timezone

import httpx2
import orjson
import pytest

from hub.client import (
    ApiError,
    AsyncClient,
    Client,
    Code,
    Contribution,
    Item,
    ProtocolError,
    Words,
)
from hub.client.answers import Answer, Index, Matches, merged
from hub.client.calls import contribute_many, match_codes, match_items, snapshot

INDEX = {"timeline": "tl_1", "position": 7, "head": 7, "lag_ms": 3}
REQUEST = httpx2.Request("POST", "https://hub.example.com/v1/match")
ITEMS = [Item((Code("md5", "0" * 32),), ref="a"), Item((Code("md5", "1" * 32),), ref="b")]


def answered(body, status=200):
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return httpx2.Response(status, content=content, request=REQUEST)


def matched(*answers, complete=True, **more):
    body = {"complete": complete, "index": INDEX, "answers": list(answers), **more}
    (call,) = match_items(ITEMS[: len(answers)] or ITEMS, explain=False)
    return call.result(answered(body))


@pytest.mark.parametrize(
    ("answer", "complete", "clear"),
    [
        ("none", True, True),
        ("none", False, False),
        ("hit", True, False),
        ("unknown", True, False),
        ("error", True, False),
        ("something-new", True, False),
    ],
)
def test_only_a_complete_none_is_clear(answer, complete, clear):
    found = matched({"ref": "a", "answer": answer}, complete=complete)

    assert found.answers[0].is_clear is clear
    assert found.is_clear is clear


def test_one_item_that_is_not_clear_makes_the_whole_not_clear():
    found = matched({"ref": "a", "answer": "none"}, {"ref": "b", "answer": "unknown"})

    assert [answer.is_clear for answer in found.answers] == [True, False]
    assert not found.is_clear


def test_nothing_asked_is_nothing_cleared():
    assert not Matches(complete=True, index=Index("", 1, 1, 0), answers=()).is_clear


@pytest.mark.parametrize(
    "answers",
    [
        [{"ref": "a", "answer": "none"}],
        [{"ref": "b", "answer": "none"}, {"ref": "a", "answer": "none"}],
        [{"answer": "none"}, {"answer": "none"}],
    ],
)
def test_answer_never_stands_in_anothers_place(answers):
    (call,) = match_items(ITEMS, explain=False)

    with pytest.raises(ProtocolError):
        call.result(answered({"complete": True, "index": INDEX, "answers": answers}))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"7", b"{}", b'{"complete": true}', b"null", b"\xff"]
)
def test_answer_that_is_none_is_told_as_such(body):
    with pytest.raises(ProtocolError):
        match_codes({"md5": ["0" * 32]}).result(answered(body))


def test_fields_of_a_newer_hub_are_passed_over():
    hit = {"standing": "review", "band": "near", "signal": "pdq", "brand_new": 1}

    found = matched({"ref": "a", "answer": "hit", "hits": [hit], "newer": {}}, extra=[])

    assert found.answers[0].hits[0].band == "near"


def test_answers_to_parts_are_as_fresh_as_the_oldest():
    clear = Answer("none", complete=True)
    parts = [
        Matches(complete=True, index=Index("tl_1", 9, 9, 0), answers=(clear,)),
        Matches(complete=False, index=Index("tl_1", 5, 9, 0), answers=(clear,)),
    ]

    whole = merged(parts)

    assert (whole.complete, whole.index.position, len(whole.answers)) == (False, 5, 2)


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"<html>bad gateway</html>", "about:blank"),
        (b"[]", "about:blank"),
        (b'{"type": "urn:breakwater:problem:not-found", "title": "Not found"}', "not-found"),
        (b'{"type": "urn:breakwater:problem:not-found", "errors": [7]}', "not-found"),
    ],
)
def test_refusal_is_told_whatever_its_body(body, slug):
    with pytest.raises(ApiError, match="404") as refused:
        snapshot("set_x", cursor=None).result(answered(body, 404))

    assert refused.value.slug.endswith(slug.rpartition(":")[2])


def test_redirect_is_not_followed_and_no_answer():
    with pytest.raises(ProtocolError):
        snapshot("set_x", cursor=None).result(answered(b"{}", 302))


def test_question_without_items_is_a_mistake():
    with pytest.raises(ValueError, match="at least one"):
        match_items([], explain=False)


def test_batch_that_does_not_fit_into_one_request_cannot_be_all_or_none():
    words = Words(("set_a",), ("grooming",), "offer", "unknown", "self-report")
    one = Contribution.of_codes((Code("md5", "0" * 32),), words)

    with pytest.raises(ValueError, match="1000"):
        contribute_many([one] * 1001, atomic=True, once=None)


def test_words_are_written_as_the_api_has_them():
    observed = datetime(2031, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    words = Words(
        sets=("set_a",),
        harm=("grooming",),
        use="offer",
        depicts="unknown",
        basis="self-report",
        assessed_by=0,
        list_name="L-1",
        observed_at=observed,
        expires=datetime(2032, 1, 1, tzinfo=UTC),
    )

    assert words.body() == {
        "sets": ["set_a"],
        "harm": ["grooming"],
        "use": "offer",
        "depicts": "unknown",
        "basis": "self-report",
        "assessed_by": 0,
        "list": "L-1",
        "observed_at": "2031-05-01T12:00:00Z",
        "expires": "2032-01-01T00:00:00Z",
    }


def test_both_clients_have_the_same_methods():
    def methods(kind):
        found = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: [*inspect.signature(method).parameters]
            for name, method in found
            if not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)


def test_no_code_is_in_a_repr():
    (call,) = match_items(ITEMS, explain=False)

    assert "1" * 32 not in repr(ITEMS) + repr(call)
