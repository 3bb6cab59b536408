# SPDX-License-Identifier: Apache-2.0
"""What other hubs erase is theirs, whatever they call it: also after a restore."""

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from tests.functional.exchange.conftest import OURS, shared_by
from tests.support.codes import pdq
from tests.support.plans import executed, plan_of
from tests.support.saying import contributed, matched, picture


def said_under(name, hostile, eve, set_id):
    """Let a hub contribute something by an id that it chose."""
    chosen = hostile.hub.new_id
    object.__setattr__(
        hostile.hub, "new_id", lambda prefix: name if prefix == "ind_" else chosen(prefix)
    )
    contributed(eve, picture(pdq=pdq()), set_id)
    object.__setattr__(hostile.hub, "new_id", chosen)
    hostile.publish()


def test_an_erasure_is_of_what_its_author_said_and_of_nobody_elses(open_hub, a, b):
    """The id was free when the erasure came, and is an honest indicator's after a restore."""
    shared = shared_by(b, a)
    beta = b.admit(OURS, sets=[shared])
    known = pdq()
    honest = contributed(beta, picture(pdq=known), shared)
    b.publish()
    hostile = open_hub("hub-h.example")
    a.pair(hostile, operators=("evil.example",))
    hostile.pair(a)
    a.share(hostile.name, shared)
    hostile.share(a.name, shared)
    eve = hostile.admit("evil.example", sets=[shared])
    said_under(honest, hostile, eve, shared)
    a.catch_up(hostile)
    upkeep.erase(honest, actor=SYSTEM, hub=hostile.hub)
    hostile.settle()
    hostile.publish()
    a.catch_up(hostile)
    restored = open_hub("hub-r.example")
    restored.pair(b, operators=(OURS,))
    b.pair(restored)
    b.share(restored.name, shared)
    restored.share(b.name, shared)
    gamma = restored.admit("gamma.example.com", sets=[shared])
    restored.catch_up(b)

    listed = a.hub.erasures.all()
    upkeep.erase_listed(listed, actor=SYSTEM, hub=restored.hub)
    restored.settle()

    assert [(one.origin, one.target) for one in listed] == [(hostile.name, honest)]
    assert matched(gamma, pdq=known)["hits"][0]["id"] == honest


def test_what_a_restore_brings_back_of_it_is_erased_again(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    a.publish()
    b.catch_up(a)
    with b.hub.begin.reading() as work:
        [kept] = work.exchange.about([indicator], ("indicator",))

    assert upkeep.erase_listed([kept.register], actor=SYSTEM, hub=b.hub) == 1
    b.settle()

    assert matched(beta, pdq=known)["answer"] == "none"
    assert upkeep.erase_listed([kept.register], actor=SYSTEM, hub=b.hub) == 0
    with b.hub.begin.reading() as work:
        assert work.exchange.sealed([kept.operation]) == {}


def test_to_erase_looks_at_nothing_else_that_was_said(a, b, shared, alpha, beta):
    """Whoever erases much holds up nobody: there may be a million operations of others."""
    entries = [contributed(alpha, picture(pdq=pdq()), shared) for _ in range(3)]
    a.publish()
    b.catch_up(a)
    for one in entries:
        upkeep.erase(one, actor=SYSTEM, hub=a.hub)
    a.settle()
    a.publish()

    with executed(b.database.writer) as made:
        b.catch_up(a)

    assert len(b.hub.erasures.all()) == 3
    plans = plan_of(made, b.database.writer)
    assert "operation" in plans
    for table in ("operation", "register"):
        assert f"SCAN {table}" not in plans
        assert f"Seq Scan on {table}" not in plans
