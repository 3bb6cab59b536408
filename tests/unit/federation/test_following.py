# SPDX-License-Identifier: Apache-2.0
"""What the answers of a partner mean to whoever asks for the next page."""

from dataclasses import dataclass

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.following import FEWEST, PAGE_SECONDS, next_page, records_next
from federation.pages import MAX_RECORDS
from federation.ports import Answer
from federation.trust import Trust
from tests.simulators.partner import PartnerHub, followed
from tests.simulators.statements import operation


@dataclass
class OneAnswer:
    """A wire that brings this."""

    answer: Answer

    def get(self, *_, **__):
        return self.answer

    def post(self, path, *_, **__):
        raise AssertionError(path)


def test_a_partner_that_shows_no_checkpoint_yet_is_asked_again():
    with pytest.raises(TransportError):
        next_page(OneAnswer(Answer(409, b"")), Trust())


def test_a_log_that_is_shorter_than_it_was_is_refused():
    hub = PartnerHub()
    hub.say(operation())

    with pytest.raises(RefusedError) as refused:
        next_page(OneAnswer(Answer(409, b"")), followed(hub))

    assert refused.value.alarm is Alarm.ROLLBACK


@pytest.mark.parametrize("a_second", [0.5, 1, 7, 30])
def test_over_a_slow_way_so_few_are_asked_for_that_they_come_and_more_once_it_is_quick(a_second):
    asked = MAX_RECORDS
    for _ in range(10):
        took = asked / a_second
        asked = records_next(asked, took if took < PAGE_SECONDS else None)
    assert asked <= max(a_second * PAGE_SECONDS, FEWEST)
    assert asked >= FEWEST

    for _ in range(10):
        asked = records_next(asked, 0.1)
    assert asked == MAX_RECORDS


def test_what_took_long_but_came_is_asked_for_again():
    assert records_next(100, PAGE_SECONDS - 1) == 100
