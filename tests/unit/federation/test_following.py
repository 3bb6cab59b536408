# SPDX-License-Identifier: Apache-2.0
"""What the answers of a partner mean to whoever asks for the next page."""

from dataclasses import dataclass

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.following import next_page
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
