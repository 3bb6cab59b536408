# SPDX-License-Identifier: Apache-2.0
"""Three hubs that share a set, each in a namespace; who said what there; what is asked of it."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hub.client import Client, Contribution, Words
from hub.client.answers import Answer
from hub.client.values import Code
from hub.demo.paired import (
    SET_NAME,
    THREE,
    TLP,
    Cast,
    Paired,
    admit,
    at_once,
    introduced,
    pair,
    share,
)
from tests.namespaces.houses import Builder, House, close, start
from tests.namespaces.spaces import Space, switched

LETTERS = "abc"
LATECOMER = Cast("hub-d.example", "delta.example.com", "platform")
AT_ONCE = 100
LOOK = 0.05


class BrokenError(AssertionError):
    """Something does not hold that must."""


@dataclass
class Known:
    """What a member contributed.

    Attributes:
        origin: letter of the hub at which.
        code: its one code.
        id: of the indicator.
        is_live: whether nobody has taken it back.
    """

    origin: str
    code: str
    id: str
    is_live: bool = True


@dataclass
class Town:
    """The hubs, by their letters.

    Attributes:
        builder: of further ones.
        houses: those that are there.
        patience: seconds after which what should happen is taken to never happen.
        planted: name of what is done wrong on purpose; none if empty.
        shared: id of the set that all share.
        book: all that was said.
        refused: packets that were refused, in all.
    """

    builder: Builder
    houses: dict[str, House]
    patience: float
    planted: str = ""
    shared: str = ""
    book: list[Known] = field(default_factory=list)
    refused: int = 0

    def __getitem__(self, letter: str) -> House:
        return self.houses[letter]

    def space(self, letter: str) -> Space:
        """The namespace of a hub."""
        return self.houses[letter].space

    # -- what people do ---------------------------------------------------------------------------

    def contribute(self, letter: str, count: int = 1) -> list[Known]:
        """Have a member of a hub contribute so many new codes."""
        return self.say(letter, [random_code() for _ in range(count)])

    def say(self, letter: str, codes: Sequence[str]) -> list[Known]:
        """Have a member of a hub contribute codes; each was taken when this returns."""
        words = Words(
            (self.shared,), ("grooming",), "profile-picture", "no-person", "own-service-human", 1
        )
        said = []
        for first in range(0, len(codes), AT_ONCE):
            some = codes[first : first + AT_ONCE]
            with self.client(letter) as client:
                rows = client.contribute_many(
                    [Contribution.of_codes((Code("pdq", one, quality=90),), words) for one in some]
                )
            for code, row in zip(some, rows, strict=True):
                if row.error is not None or row.id is None:
                    raise BrokenError(f"hub {letter} does not take a contribution: {row.error}")
                said.append(Known(letter, code, row.id))
        self.book.extend(said)
        return said

    def withdraw(self, *known: Known) -> None:
        """Have whoever contributed these take them back."""
        for one in known:
            one.is_live = False
            if self.planted != "not-withdrawn":
                with self.client(one.origin) as client:
                    client.withdraw(one.id)

    def heal(self) -> None:
        """Open all ways again, after a look whether anything was in the way."""
        self.count()
        if self.planted == "no-heal":
            return
        self.open()

    def open(self) -> None:
        """Open all ways again, whatever is planted."""
        for house in self.houses.values():
            house.space.open()
            house.space.fast()
            house.space.link(is_up=True)

    def count(self) -> int:
        """Count the packets that were refused since all ways were open."""
        found = sum(house.space.refused() for house in self.houses.values())
        self.refused += found
        return found

    def join(self) -> House:
        """Have another hub built; it knows nobody yet."""
        house = self.builder.build("d", len(self.houses) + 1, LATECOMER)
        self.houses["d"] = house
        house.hub.running.start()
        return house

    def introduce(self, letter: str) -> None:
        """Pair a hub that came later with all others, which share the set with it."""
        late = self[letter].hub
        others = [house.hub for house in self.houses.values() if house.hub is not late]
        late.line = late.type("partners", "pair", others[0].line, *introduced(late))["line"]
        for other in others[1:]:
            late.type("partners", "pair", other.line)
        for other in others:
            late.type(
                *("partners", "share", other.name, self.shared),
                *("--name", SET_NAME, "--tlp", TLP),
            )
        admit(late, self.shared)

        def take(other: Paired) -> None:
            other.type("partners", "pair", late.line)
            other.type("partners", "share", late.name, self.shared)

        at_once(take, others)

    # -- what is asked ----------------------------------------------------------------------------

    def answers(self, letter: str, known: Sequence[Known]) -> list[Answer]:
        """What a hub says of what was contributed anywhere."""
        if not known:
            return []
        with self.client(letter) as client:
            return list(client.match_codes({"pdq": [one.code for one in known]}).answers)

    def says(self, letter: str, known: Sequence[Known], wanted: str) -> bool:
        """Whether a hub says the same of all of it."""
        return {one.answer for one in self.answers(letter, known)} == {wanted}

    def reach(self, letters: str, known: Sequence[Known], wanted: str = "hit") -> None:
        """Wait until hubs say the same of all of it."""
        for letter in letters:
            self.eventually(
                partial(self.says, letter, known, wanted),
                f"hub {letter} does not come to say {wanted}",
            )

    def must_say(self, letters: str, known: Sequence[Known], wanted: str) -> None:
        """See that hubs say the same of all of it now."""
        for letter in letters:
            if not self.says(letter, known, wanted):
                raise BrokenError(f"hub {letter} does not say {wanted} while it must")

    def eventually(self, is_so: Callable[[], object], complaint: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + self.patience
        while not is_so():
            if time.monotonic() > deadline:
                raise BrokenError(complaint)
            time.sleep(LOOK)

    def client(self, letter: str) -> Client:
        """A member's client of a hub."""
        hub = self[letter].hub
        return Client(hub.running.url, hub.key)


@contextmanager
def town(folder: Path, *, patience: float = 300.0, planted: str = "") -> Iterator[Town]:
    """Open one; whatever happens, nothing of it is left.

    Args:
        folder: for what the hubs keep.
        patience: seconds after which what should happen is taken to never happen.
        planted: what is done wrong on purpose: ``no-heal``, ``not-withdrawn`` or ``forked``.
    """
    with ExitStack() as stack:
        stack.enter_context(switched())
        builder = Builder(folder)
        made = Town(builder, {}, patience, planted)
        stack.callback(close, made.houses)
        for number, (letter, cast) in enumerate(zip(LETTERS, THREE, strict=True), 1):
            house = builder.build(letter, number, cast)
            made.houses[letter] = house
        start(list(made.houses.values()))
        hubs = [house.hub for house in made.houses.values()]
        pair(hubs)
        made.shared = share(hubs)
        hubs[0].type("sets", "onward", made.shared, "set")
        yield made


def random_code() -> str:
    """A code that is far from any other."""
    bits = [1] * 128 + [0] * 128
    random.shuffle(bits)
    return f"{int(''.join(map(str, bits)), 2):064x}"
