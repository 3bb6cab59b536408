# SPDX-License-Identifier: Apache-2.0
"""Who was told of a picture by a process that was killed then adds no voice either."""

from tests.support.codes import pdq
from tests.support.saying import contributed, matched, picture, standings


def lose_memory(house):
    """Forget what waits to be settled, as a process does that is killed; its files stay."""
    for file in house.hub.ledger._journal.turn():  # noqa: SLF001 - as a kill would: nobody is asked
        file.close(settled=False)
    house.hub.ledger._pending = type(house.hub.ledger._pending)()  # noqa: SLF001 - as above


def told_and_killed(house, beta, known):
    answer = beta.post(
        "/v1/match",
        {"items": [{"codes": [{"signal": "pdq", "code": known}]}]},
        settle=False,
    )
    assert answer.json["answers"][0]["answer"] == "hit"
    lose_memory(house)


def test_a_copy_made_after_a_kill_is_a_copy(house, shared, alpha, beta, gamma, clock):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(seconds=4)
    told_and_killed(house, beta, known)
    clock.forward(seconds=1)

    contributed(beta, picture(pdq=known), shared)
    house.hub.ledger.recover()
    house.settle()
    clock.forward(seconds=4)

    assert standings(gamma, indicator) == {shared: ("review", 1)}


def test_without_what_it_left_behind_it_would_be_a_voice(house, shared, alpha, beta, gamma, clock):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(seconds=4)
    told_and_killed(house, beta, known)
    for file in (house.settings.data / "hits").iterdir():
        file.unlink()
    clock.forward(seconds=1)

    contributed(beta, picture(pdq=known), shared)
    house.hub.ledger.recover()
    house.settle()
    clock.forward(seconds=4)

    assert standings(gamma, indicator) == {shared: ("corroborated", 2)}
    assert matched(gamma, pdq=known)["standing"] == "corroborated"
