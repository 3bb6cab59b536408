# SPDX-License-Identifier: Apache-2.0
"""What is said to who pairs with a hub that nobody reaches, and to who brings it what is new."""

from typing import Any

import pytest
from click.testing import CliRunner

from federation.errors import Alarm, RefusedError, TransportError
from federation.identity.pairing import Pairing
from hub.cli import _breakwater, bundles
from hub.cli.exits import CommandError, Exit
from hub.domain.errors import NotFoundError
from hub.services.exchange.posting import NotTakenError
from hub.services.exchange.serving import NotSoLongError

NOBODY: Any = None
LINE = str(Pairing("hub-a.example", "https://hub-a.example/fed/v1", "0" * 64))


def test_of_whom_nobody_can_ask_people_say_for_whom_it_speaks(tmp_path):
    done = CliRunner().invoke(
        _breakwater,
        ["partners", "pair", LINE, "--unreachable"],
        env={"BREAKWATER_DATA": str(tmp_path)},
    )

    assert done.exit_code == Exit.USAGE
    assert "--vouches-for" in done.output


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (NotFoundError("partner"), Exit.USAGE, "is no partner"),
        (TransportError("away"), Exit.UNAVAILABLE, "does not answer: away"),
        (NotTakenError("it goes no further"), Exit.BUSY, "takes no more for now"),
        (NotSoLongError(), Exit.BUSY, "has the worker run"),
        (RefusedError(Alarm.TRANSPORT, "not signed"), Exit.UNAVAILABLE, "--unreachable"),
        (RefusedError(Alarm.FORK, "refused"), Exit.FOUND, "fork: refused"),
    ],
)
def test_what_went_wrong_is_said_in_a_sentence(monkeypatch, error, status, told):
    def fail(*_args, **_given):
        raise error

    monkeypatch.setattr(bundles, "post", fail)

    with pytest.raises(CommandError) as failed:
        bundles._posted("hub-b.example", NOBODY, NOBODY, NOBODY)  # noqa: SLF001 - the table of sentences

    assert failed.value.exit_code == status
    assert told in failed.value.message
