# SPDX-License-Identifier: Apache-2.0
"""What is asked again, after how long, and that nothing is done twice by it."""

import asyncio
from http import HTTPStatus

import httpx2
import pytest

from hub.client import ApiError, AsyncClient, Client, Code, Contribution, Retry, UnreachableError
from hub.client.calls import status

MD5 = "0123456789abcdef" * 2
REQUEST = httpx2.Request("GET", "https://hub.example.com/v1/status")


class LosingAnswers(httpx2.BaseTransport):
    """A network over which requests arrive, and the first answers are lost."""

    def __init__(self, losses):
        self._network = httpx2.HTTPTransport()
        self._losses = losses
        self.sent = []

    def handle_request(self, request):
        answer = self._network.handle_request(request)
        self.sent.append(request.headers.get("Idempotency-Key"))
        if len(self.sent) <= self._losses:
            answer.close()
            raise httpx2.ReadError("lost", request=request)
        return answer

    def close(self):
        self._network.close()


class Answering(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A hub that gives the answers it is told to give, and then that all is well."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = 0

    def handle_request(self, request):
        self.asked += 1
        answer = self._answers.pop(0) if self._answers else (200, {})
        if isinstance(answer, Exception):
            raise answer
        code, headers = answer
        return httpx2.Response(code, headers=headers, json=STATUS, request=request)

    async def handle_async_request(self, request):
        return self.handle_request(request)


STATUS = {
    "complete": True,
    "why": None,
    "index": {"timeline": "tl_1", "position": 1, "head": 1, "lag_ms": 0},
    "signals": [{"signal": "pdq", "whole": True}],
}
BUSY = (503, {"Retry-After": "7"})
LOST = httpx2.ConnectError("no such host")


def pauses(*answers, **patience):
    """Ask a hub that answers so; return how long the client waited, and whether it got through."""
    waited: list[float] = []
    transport = Answering(*answers)
    retry = Retry(**patience)
    with Client(
        "https://hub.example.com",
        "bw_live_x",
        transport=transport,
        sleep=waited.append,
        retry=retry,
    ) as client:
        try:
            client.status()
        except (ApiError, UnreachableError) as error:
            return waited, error
    return waited, None


@pytest.mark.parametrize(
    "passing", [LOST, httpx2.ReadTimeout("slow"), (502, {}), BUSY, (504, {}), (429, {})]
)
def test_what_may_pass_is_asked_again(passing):
    waited, error = pauses(passing, passing)

    assert error is None
    assert len(waited) == 2


@pytest.mark.parametrize(
    "lasting", [(400, {}), (401, {}), (404, {}), (409, {}), (410, {}), (422, {}), (500, {})]
)
def test_what_will_not_pass_is_told_at_once(lasting):
    waited, error = pauses(lasting)

    assert (error.status, waited) == (lasting[0], [])


def test_hub_that_is_still_at_the_same_request_is_asked_again():
    waited, error = pauses((409, {"Retry-After": "1"}))

    assert error is None
    assert waited[0] >= 1


def test_client_gives_up_after_so_many_attempts_and_says_what_it_last_heard():
    waited, error = pauses(*[BUSY] * 9, attempts=3)
    assert (len(waited), error.status) == (2, 503)

    waited, error = pauses(*[LOST] * 9, attempts=3)
    assert len(waited) == 2
    assert isinstance(error, UnreachableError)
    assert "bw_live_x" not in str(error)


def test_hub_is_left_alone_as_long_as_it_asks_and_for_no_more_than_is_bearable():
    assert pauses(BUSY)[0][0] >= 7

    waited, error = pauses((429, {"Retry-After": "3600"}))
    assert (waited, error.status) == ([], HTTPStatus.TOO_MANY_REQUESTS)


def test_pauses_grow_and_differ_between_clients():
    first, second, third = (pauses(*[LOST] * 9, attempts=4, first_pause=1.0)[0] for _ in range(3))

    assert first[2] > first[0]
    assert all(0.5 * 2**n <= pause <= 1.5 * 2**n for n, pause in enumerate(first))
    assert first != second != third


@pytest.mark.parametrize("asked", ["soon", "-1", "1.5", "²", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_odd_retry_after_is_no_reason_to_fail(asked):
    response = httpx2.Response(503, headers=[("Retry-After", asked.encode())], request=REQUEST)

    pause = Retry().pause(1, response)

    assert pause is not None
    assert 0 < pause < 1


def test_contribution_whose_answer_was_lost_is_kept_once(hub, hasher):
    transport = LosingAnswers(losses=2)
    contribution = Contribution.of_codes((Code("md5", MD5),), hub.words())
    with Client(
        hub.url, hub.contributor, transport=transport, hasher=hasher, sleep=lambda _: None
    ) as client:
        kept = client.contribute(contribution)

        assert [one.id for one in client.list_own().items] == [kept.id]
    assert len(set(transport.sent[:3])) == 1
    assert transport.sent[0]


def test_two_contributions_go_under_two_names(hub, hasher):
    transport = LosingAnswers(losses=0)
    contribution = Contribution.of_codes((Code("md5", MD5),), hub.words())
    with Client(hub.url, hub.contributor, transport=transport, hasher=hasher) as client:
        assert client.contribute(contribution).id != client.contribute(contribution).id

    assert len(set(transport.sent)) == 2


def test_asynchronous_client_retries_alike():
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async def ask():
        async with AsyncClient(
            "https://hub.example.com", "bw_live_x", transport=Answering(LOST, BUSY), sleep=sleep
        ) as client:
            return await client.status()

    assert asyncio.run(ask()).complete
    assert len(waited) == 2
    assert waited[1] >= 7


def test_hub_that_nobody_answers_at_is_unreachable():
    with (
        Client("http://127.0.0.1:1", "bw_live_x", retry=Retry(attempts=1)) as client,
        pytest.raises(UnreachableError, match="ConnectError"),
    ):
        client.send(status())
