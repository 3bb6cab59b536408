# SPDX-License-Identifier: Apache-2.0
"""Who there is in a simulation: hubs, their members and sets, and what they settled."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from federation.log.cosignatures import Cosigner
from federation.log.verifiers import Verifier
from hub.domain.changes import SYSTEM
from hub.domain.sharing import CONTRIBUTE, LOOKUP, Asker
from hub.ports import SealBrokenError
from hub.ports.exchange import COUNTS, Voice
from hub.storage.work import SqlBegin, SqlWork
from tests.simulators.exchange.disk import Disk, empty
from tests.simulators.federated import voice

START = 1_800_000_000
"""When every simulation begins, seconds since 1970."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
EVERYWHERE, SOMEWHERE, LATER = (f"set_{letter * 26}" for letter in "abc")
"""Sets: that all hubs share; that all but the last share; that is shared one day."""
LIAR = "hub-x.example"
RIGHTS = frozenset({CONTRIBUTE, LOOKUP})


@dataclass(frozen=True)
class Member:
    """A member of a hub.

    Attributes:
        operator: the name of its organisation.
        asker: as which it asks.
        sets: public ids of the sets that it may contribute to.
    """

    operator: str
    asker: Asker
    sets: tuple[str, ...]


@dataclass(frozen=True)
class House:
    """A hub as it begins.

    Attributes:
        name: its own.
        image: of its database.
        members: whoever contributes there.
    """

    name: str
    image: bytes
    members: tuple[Member, ...]


class PlainSealer:
    """Seals nothing: its like in earnest would take randomness of the system."""

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Return it with what it is bound to."""
        return bound_to + b"\n" + plain

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Return what was sealed."""
        bound, _, plain = sealed.partition(b"\n")
        if bound != bound_to:
            raise SealBrokenError
        return plain


def hub_name(number: int) -> str:
    """The name of an honest hub."""
    return f"hub-{LETTERS[number]}.example"


def operators_of(number: int) -> tuple[str, str]:
    """The names of the two organisations of a hub."""
    return f"{LETTERS[number]}-one.example.com", f"{LETTERS[number]}-two.example.com"


def sets_of(number: int, count: int) -> tuple[str, ...]:
    """The sets that a hub has: the first hub of so many keeps one more for later."""
    sets = [EVERYWHERE]
    if number < count - 1:
        sets.append(SOMEWHERE)
    if number == 0:
        sets.append(LATER)
    return tuple(sets)


@cache
def town(count: int) -> tuple[House, ...]:
    """So many honest hubs, each a partner of all others and of one that lies."""
    return tuple(_house(number, count) for number in range(count))


@cache
def spoken(name: str) -> Voice:
    """By what a hub of that name speaks."""
    return voice(name)


@cache
def log_of(name: str) -> tuple[Verifier, Cosigner]:
    """What verifies a hub's checkpoints, and that it is alive."""
    log = spoken(name).log
    return Verifier(log.origin, log.log.public), Cosigner(log.beat_name, log.beat.public)


def start() -> datetime:
    """When every simulation begins."""
    return datetime.fromtimestamp(START, UTC)


def _house(number: int, count: int) -> House:
    disk = Disk()
    disk.load(empty())
    begin = SqlBegin(disk.database, clock=start, sealer=PlainSealer())
    with begin.writing(SYSTEM) as work:
        keys = {one: add_set(work, one) for one in sets_of(number, count)}
        members = tuple(
            member(work, name, f"{number}{place}", keys)
            for place, name in enumerate(operators_of(number))
        )
        for other in range(count):
            if other != number:
                shared = set(sets_of(number, count)) & set(sets_of(other, count))
                pair(work, hub_name(other), operators_of(other), [keys[one] for one in shared])
        pair(work, LIAR, (f"liar.{LIAR}",), [keys[EVERYWHERE]])
        work.commit()
    return House(hub_name(number), disk.image(), members)


def add_set(work: SqlWork, public_id: str) -> int:
    """Make a set; returns its internal key."""
    made = work.access.add_set(
        id=public_id, name=public_id, tlp="TLP:GREEN", onward="none", sandbox=False,
        state="active", created_at=start(),
    )  # fmt: skip
    assert made is not None
    return made.key


def pair(work: SqlWork, hub: str, operators: tuple[str, ...], sets: list[int]) -> None:
    """Enrol a hub and share sets with it."""
    key = work.partners.add(
        hub=hub,
        base=f"https://{hub}/fed/v1",
        root="0" * 64,
        operators=operators,
        level=COUNTS,
        at=start(),
    )
    for one in sorted(sets):
        work.partners.share(key, one)


def member(work: SqlWork, name: str, number: str, sets: dict[str, int]) -> Member:
    """Admit a member of an operator who may use some sets."""
    operator = work.access.add_operator(
        id=f"op_{number}", name=name, kind="platform", contacts=[], sandbox=False,
        state="active", created_at=start(),
    )  # fmt: skip
    assert operator is not None
    made = work.access.add_member(
        id=f"mem_{number}", operator=operator.key, name="main", state="active",
        created_at=start(),
    )  # fmt: skip
    grants = dict.fromkeys(sets.values(), RIGHTS)
    for one in grants:
        work.access.put_grant(one, made.key, RIGHTS, start())
    asker = Asker(
        key=1,
        member=made.key,
        member_id=made.id,
        operator=operator.key,
        operator_kind=operator.kind,
        sandbox=False,
        scopes=frozenset({CONTRIBUTE, LOOKUP}),
        grants=grants,
    )
    return Member(name, asker, tuple(sets))
