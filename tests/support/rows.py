# SPDX-License-Identifier: Apache-2.0
"""Hubs in a row: those at the ends share a set with the one between, not with each other."""

from collections.abc import Mapping
from itertools import pairwise

from hub.ports.exchange import Enrolled
from hub.services.exchange import naming
from hub.services.office import CONSOLE
from tests.simulators.federated import Hub


def in_a_row(one: Hub, middle: Hub, other: Hub, operators: Mapping[str, str]) -> str:
    """Let the ends share a set of the one between, who may pass on; returns the set.

    Args:
        one: at an end.
        middle: between.
        other: at the other end.
        operators: whom each of them may vouch for, by its name.
    """
    set_id = middle.set("lures")
    for far in (one, other):
        middle.pair(far, operators=(operators[far.name],))
        middle.share(far.name, set_id)
        far.pair(middle, operators=(operators[middle.name],))
        far.share(middle.name, set_id)
    opened(middle, set_id, "set")
    told(one, middle, other)
    return set_id


def opened(hub: Hub, set_id: str, onward: str) -> None:
    """Let what is said in a set be passed on, or not."""
    naming.open_onward(set_id, onward, by=CONSOLE, hub=hub.hub)
    hub.hub.directory.reload()


def told(one: Hub, middle: Hub, other: Hub) -> None:
    """Let the one between say who shares the set, and each of the others learn of the other."""
    middle.announce()
    for far in (one, other):
        far.catch_up(middle)
        far.announce()
    for far, its in ((one, other), (other, one)):
        if known(far, its.name) is not None:
            far.learn_of(its, middle)


def known(hub: Hub, name: str) -> Enrolled | None:
    """Another hub, as it is kept."""
    with hub.hub.begin.reading() as work:
        return work.partners.heard_of(name)


def carried(*hubs: Hub) -> None:
    """Carry all that each says to the next."""
    for one, other in pairwise(hubs):
        one.publish()
        other.catch_up(one)


def alarms(hub: Hub, name: str) -> list[str]:
    """What is held against another hub."""
    about = known(hub, name)
    assert about is not None
    with hub.hub.begin.reading() as work:
        return [str(one["alarm"]) for one in work.partners.evidence(about.key)]
