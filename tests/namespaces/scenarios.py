# SPDX-License-Identifier: Apache-2.0
"""Twelve ways in which hubs are cut off from each other.

Each says what goes wrong, sees that it does, has members speak and take back meanwhile, and heals.
What must hold in all of them stands in ``checks``.
"""

import time
import urllib.request
from collections.abc import Callable

from federation.log.cosignatures import Cosigner, times
from federation.log.notes import Note
from hub.adapters.identities import Identity
from tests.namespaces.spaces import Space
from tests.namespaces.town import BrokenError, Town

Play = Callable[[Town], None]
MANY = 2_200
"""Entries: more than two pages hold, and so many that what was taken back is asked for first."""
LONG = 300
"""Entries: more than a slow way brings in the time that a page may take."""
FLAPS = 12


def pair_cut(town: Town) -> None:
    """A and B are cut from each other; C reaches both, and passes on what they say."""
    (old,) = town.contribute("a")
    town.reach("abc", [old])
    town.space("a").cut_from(town.space("b"))
    said = town.contribute("a") + town.contribute("b")
    town.reach("abc", said)
    town.withdraw(old, said[1])
    town.reach("abc", [old, said[1]], "none")
    refused(town)
    town.heal()


def cable(town: Town) -> None:
    """The cable of B is pulled: it is told so at once, and nobody hears it."""
    town.space("b").link(is_up=False)
    said = town.contribute("a") + town.contribute("c")
    own = town.contribute("b")
    town.reach("ac", said)
    town.must_say("b", said, "none")
    town.must_say("ac", own, "none")
    town.heal()


def one_way(town: Town) -> None:
    """Nothing that A says gets out, while it hears whatever others say."""
    town.space("a").refuse("out ip protocol tcp drop")
    (own,) = town.contribute("a")
    said = town.contribute("b") + town.contribute("c")
    town.reach("bc", said)
    refused(town)
    town.must_say("bc", [own], "none")
    town.heal()


def lossy(town: Town) -> None:
    """Of all packets from and to B every fifth is lost; what is said arrives nevertheless."""
    lost = "meta l4proto tcp numgen random mod 100 < 20 drop"
    town.space("b").refuse(f"in {lost}", f"out {lost}")
    known = town.contribute("a", 20) + town.contribute("b", 20) + town.contribute("c", 20)
    town.reach("abc", known)
    town.withdraw(known[0], known[20])
    town.reach("abc", [known[0], known[20]], "none")
    refused(town)
    town.heal()


def slow(town: Town) -> None:
    """A says no more than 64 kbit/s: too much for one page arrives nevertheless."""
    town.space("a").slow("64kbit")
    known = town.contribute("a", LONG)
    town.reach("abc", known)
    town.withdraw(known[0])
    town.reach("abc", known[:1], "none")
    town.heal()


def withdrawn(town: Town) -> None:
    """B is cut off while others take back what it holds, and it what they hold."""
    theirs = town.contribute("a") + town.contribute("c")
    (own,) = town.contribute("b")
    town.reach("abc", [*theirs, own])
    town.space("b").cut_from(town.space("a"), town.space("c"))
    town.withdraw(*theirs, own)
    town.reach("ac", theirs, "none")
    town.reach("b", [own], "none")
    if town.planted != "not-withdrawn":
        town.must_say("b", theirs, "hit")
        town.must_say("ac", [own], "hit")
    refused(town)
    town.heal()


def reset(town: Town) -> None:
    """Whatever goes between B and the others is answered by a reset."""
    town.space("b").refuse(
        "in meta l4proto tcp reject with tcp reset", "out meta l4proto tcp reject with tcp reset"
    )
    said = town.contribute("a") + town.contribute("c")
    own = town.contribute("b")
    town.reach("ac", said)
    refused(town)
    town.must_say("b", said, "none")
    town.must_say("ac", own, "none")
    town.heal()


def flapping(town: Town) -> None:
    """The way to B comes and goes, while everybody speaks and takes back."""
    b, others = town.space("b"), [town.space("a"), town.space("c")]
    for flap in range(FLAPS):
        b.cut_from(*others)
        said = [town.contribute(letter)[0] for letter in "abc"]
        time.sleep(0.1 * (flap % 4))
        town.count()
        b.open()
        time.sleep(0.1 * (flap % 3))
        town.withdraw(said[flap % 3])
    b.cut_from(*others)
    refused(town)
    town.heal()


def unseen(town: Town) -> None:
    """C is cut off, which sees the logs of A and B: they go on, and it sees them afterwards."""
    town.space("c").cut_from(town.space("a"), town.space("b"))
    known = town.contribute("a") + town.contribute("b")
    town.reach("ab", known)
    refused(town)
    town.must_say("c", known, "none")
    if is_seen(town, "a", by="c"):
        raise BrokenError("C has seen what A says while it is cut off")
    town.heal()
    town.eventually(lambda: is_seen(town, "a", by="c"), "C does not see what A says")


def killed(town: Town) -> None:
    """B is killed while it is cut off, and starts before it is back."""
    old = town.contribute("a") + town.contribute("b")
    town.reach("abc", old)
    town.space("b").cut_from(town.space("a"), town.space("c"))
    (own,) = town.contribute("b")
    house = town["b"]
    house.is_up = False
    house.hub.running.kill()
    town.withdraw(old[0])
    said = town.contribute("a") + town.contribute("c")
    house.hub.running.start()
    house.is_up = True
    town.must_say("b", [*old, own], "hit")
    town.must_say("b", said, "none")
    town.must_say("ac", [own], "none")
    refused(town)
    town.heal()


def half_open(town: Town) -> None:
    """A wall forgets the connections over which B waits at A and C; new ones pass.

    Nothing heals: B must find out by itself.
    """
    a, b, c = (town.space(letter) for letter in "abc")
    town.eventually(lambda: all(forgotten(b, other) for other in (a, c)), "B waits nowhere")
    said = town.contribute("a") + town.contribute("c")
    refused(town)
    town.reach("abc", said)
    town.count()
    town.open()


def first_sync(town: Town) -> None:
    """A hub that has just joined is cut off in the middle of what there was before it."""
    old = town.contribute("a", MANY)
    town.withdraw(*old[:3])
    town.reach("bc", old[:3], "none")
    town.reach("bc", old[-1:])
    late = town.join()
    late.space.slow("2mbit")
    others = [town.space(letter) for letter in "abc"]
    for other in others:
        other.slow("4mbit")
    town.introduce("d")
    town.eventually(lambda: applied(town, "d", "a") > 0, "D takes nothing")
    late.space.cut_from(*others)
    said = town.contribute("a") + town.contribute("d")
    town.withdraw(old[3])
    behind = sum(answer.answer == "none" for answer in town.answers("d", old[4:]))
    if not behind:
        raise BrokenError("D had all of it before it was cut off")
    refused(town)
    town.must_say("d", said[:1], "none")
    town.must_say("abc", said[1:], "none")
    town.heal()


SCENARIOS: dict[str, Play] = {
    "pair-cut": pair_cut,
    "withdrawn": withdrawn,
    "killed": killed,
    "cable": cable,
    "one-way": one_way,
    "lossy": lossy,
    "slow": slow,
    "reset": reset,
    "flapping": flapping,
    "unseen": unseen,
    "half-open": half_open,
    "first-sync": first_sync,
}
IN_CI = ("pair-cut", "withdrawn", "killed")


def refused(town: Town) -> None:
    """Wait until something was in the way: a cut that cuts nothing shows nothing."""
    spaces = [house.space for house in town.houses.values()]
    town.eventually(lambda: any(one.refused() for one in spaces), "nothing was refused")


def forgotten(waiting: Space, other: Space) -> bool:
    """Drop what belongs to the open connections from one to another; whether they are still open.

    Who waits asks anew when it was told that there is nothing new: perhaps just now.
    """
    lines = waiting.lines_to(other)
    for port in lines:
        waiting.refuse(f"in ip saddr {other.address} tcp dport {port} drop")
        other.refuse(f"in ip saddr {waiting.address} tcp sport {port} drop")
    return bool(lines) and lines == waiting.lines_to(other)


def applied(town: Town, letter: str, other: str) -> int:
    """How many entries of another hub one has taken."""
    known = {one["hub"]: one for one in town[letter].hub.type("partners", "list")}
    return int(known[town[other].name]["applied"])


def is_seen(town: Town, letter: str, *, by: str) -> bool:
    """Whether a hub's newest checkpoint bears another's word that it saw it."""
    url = f"{town[letter].hub.running.url}/fed/v1/log/checkpoint"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - this machine
        note = Note.parse(answer.read())
    known = Identity(town[by].hub.exchange.parent).known()
    if known is None or known.witness is None:
        raise BrokenError(f"hub {by} is no witness")
    witness = Cosigner.parse(known.witness)
    return witness in times(note, [witness])
