# SPDX-License-Identifier: Apache-2.0
"""What is past its time is forgotten, and what is said again afterwards is heard."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.services.exchange import forgetting
from hub.storage import tables
from tests.support.codes import pdq
from tests.support.saying import contributed, matched, picture, version


@pytest.fixture
def known():
    return pdq()


def until(clock, **passed):
    return (clock() + timedelta(**passed)).isoformat()


def pushed(a, b):
    """Carry all that the first says to the second."""
    a.publish()
    return b.catch_up(a)


def swept(hub):
    """End and forget what is over; returns how many registers were forgotten."""
    hub.sweep()
    return forgetting.forget(hub.hub)


def kept(hub):
    """How many registers a hub keeps, and of how many operations it has the payload."""
    operation = tables.operation
    with hub.database.reader.connect() as connection:
        return tuple(
            connection.scalar(sa.select(sa.func.count()).select_from(some))
            for some in (
                tables.register,
                sa.select(operation).where(operation.c.payload.is_not(None)).subquery(),
            )
        )


def test_what_is_past_its_time_is_forgotten(a, b, shared, alpha, beta, clock, known):
    contributed(alpha, picture(pdq=known), shared, expires=until(clock, days=1))
    pushed(a, b)
    assert kept(a) == kept(b) == (1, 1)
    assert (swept(a), swept(b)) == (0, 0)

    clock.forward(days=1)
    assert (swept(a), swept(b)) == (0, 1)
    clock.forward(days=1)
    assert swept(a) == 1

    assert kept(a) == kept(b) == (0, 0)
    assert swept(a) == swept(b) == 0


def test_the_log_keeps_its_shape(open_hub, a, b, shared, alpha, clock, known):
    contributed(alpha, picture(pdq=pdq()), shared, expires=until(clock, days=1))
    contributed(alpha, picture(pdq=known), shared)
    a.publish()
    clock.forward(days=3)
    assert swept(a) == 1

    assert b.catch_up(a) == 1
    assert b.enrolled(a.name).trust.applied == 2
    reader = b.admit("reader.example.com", sets=[shared])
    assert matched(reader, pdq=known)["answer"] == "hit"


def test_what_is_live_is_not_forgotten(a, b, shared, alpha, clock, known):
    """It was said for longer since, and nobody was told yet."""
    indicator = contributed(alpha, picture(pdq=known), shared, expires=until(clock, days=1))
    a.publish()
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared))
    clock.forward(days=3)

    assert swept(a) == 0
    a.publish()
    assert b.catch_up(a) == 1


@pytest.mark.parametrize("is_swept", [True, False], ids=["swept", "not-swept"])
def test_what_is_said_again_is_heard(a, b, shared, alpha, beta, clock, known, is_swept):
    """Its author has forgotten its versions and begins anew, whoever else has or has not."""
    indicator = contributed(alpha, picture(pdq=known), shared, expires=until(clock, days=1))
    pushed(a, b)
    changed = {"harm": ["solicitation"], "expires": until(clock, days=2)}
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, **changed))
    pushed(a, b)
    clock.forward(days=4)
    swept(a)
    if is_swept:
        swept(b)
    assert matched(beta, pdq=known)["answer"] == "none"

    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, harm=["trafficking"]))

    assert pushed(a, b) == 1
    (hit,) = matched(beta, pdq=known)["hits"]
    assert hit["harm"] == ["trafficking"]
    with b.hub.begin.reading() as work:
        (register,) = work.exchange.about([indicator], ("indicator",))
        found = work.indicators.find(indicator)
    assert register.version == (1, 1)
    assert register.indicator == found.key


def test_no_more_than_is_asked_for_is_forgotten_at_once(a, b, shared, alpha, clock):
    for _ in range(3):
        contributed(alpha, picture(pdq=pdq()), shared, expires=until(clock, days=1))
    pushed(a, b)
    clock.forward(days=1)
    b.sweep()

    with b.hub.begin.writing(SYSTEM) as work:
        now = int(clock().timestamp())
        assert work.exchange.forget(now, own=0, limit=2) == 2
        work.commit()

    assert kept(b) == (1, 1)
