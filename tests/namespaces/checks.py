# SPDX-License-Identifier: Apache-2.0
"""What must hold while hubs are cut off, and once they are not.

The rules are written anew here, from answers and rows, and share no code with the hub's.
"""

import hashlib
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from contextlib import closing
from typing import Any, Self

from hub.client import ClientError
from tests.namespaces.houses import House
from tests.namespaces.town import BrokenError, Known, Town

MOST_WATCHED = 40
"""Live codes that are asked for again and again, beside all that were taken back."""
BETWEEN = 0.25
NO_BLAME = frozenset({"transport"})
"""What is kept of a partner that could not be understood: it accuses nobody of a lie."""
TABLE = (
    "SELECT r.origin, r.author, r.kind, r.target, r.epoch, r.n, hex(o.id), r.other IS NULL"
    " FROM register r JOIN operation o ON o.key = r.operation WHERE r.keep > ? ORDER BY 1, 2, 3, 4"
)


class Watch:
    """Asks every hub all the time, as platforms do: each answers, and none forgets.

    Of a code a hub says nothing, then that it is known, then nothing again once it was taken back;
    each at most once, in this order.
    """

    def __init__(self, town: Town) -> None:
        self._town = town
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.asked: Counter[str] = Counter()
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.gone: dict[str, set[str]] = defaultdict(set)
        self.flaws: list[str] = []

    def __enter__(self) -> Self:
        for letter in list(self._town.houses):
            thread = threading.Thread(target=self._ask, args=(letter,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, letter: str) -> None:
        while not self._stop.wait(BETWEEN):
            known = self._chosen()
            if not known or not self._town[letter].is_up:
                continue
            try:
                before = {one.code for one in known if one.is_live}
                found = self._town.answers(letter, known)
            except ClientError as error:
                if self._town[letter].is_up:
                    self.flaws.append(f"hub {letter} does not answer lookups: {error!r}")
                continue
            self.asked[letter] += len(known)
            for one, answer in zip(known, found, strict=True):
                self._hold(letter, one, answer.answer, before)

    def _hold(self, letter: str, one: Known, said: str, live: set[str]) -> None:
        seen, gone = self.seen[letter], self.gone[letter]
        if said == "hit":
            if one.code in gone:
                self.flaws.append(f"hub {letter} knows again what was taken back at {one.origin}")
            seen.add(one.code)
        elif said == "none":
            # It was live when we asked, and may have been taken back meanwhile.
            if one.code in seen and one.code in live and one.is_live:
                self.flaws.append(f"hub {letter} has lost what {one.origin} contributed")
            if not one.is_live and one.code in seen:
                gone.add(one.code)
        else:
            self.flaws.append(f"hub {letter} answers {said}")

    def _chosen(self) -> list[Known]:
        book = list(self._town.book)
        live = [one for one in book if one.is_live]
        return live[-MOST_WATCHED:] + [one for one in book if not one.is_live]


def settled(town: Town) -> None:
    """Wait until all hubs follow each other and hold the same; then see that none is accused.

    Raises:
        BrokenError: It does not come to that, or something is amiss.
    """
    deadline = time.monotonic() + town.patience
    while lacks := _lacks(town):
        if time.monotonic() > deadline:
            raise BrokenError(f"hubs do not come to hold the same: {lacks}")
        time.sleep(BETWEEN)
    blame = accused(town)
    if blame:
        raise BrokenError(f"honest hubs are accused: {blame}")


def _lacks(town: Town) -> str:
    """What is not yet as it must become; empty: nothing."""
    for letter, house in town.houses.items():
        for name, found in house.hub.partners().items():
            if found["state"] != "active" or found["error"] or found["behind"]:
                return f"at {letter}, {name} is {_brief(found)}"
        for one, answer in zip(town.book, town.answers(letter, town.book), strict=True):
            wanted = ("hit", 1) if one.is_live else ("none", 0)
            if (answer.answer, len(answer.hits)) != wanted:
                return f"hub {letter} says {answer.answer} of what {one.origin} said; {wanted[0]}"
    digests = {letter: digest(house) for letter, house in town.houses.items()}
    return "" if len(set(digests.values())) == 1 else f"registers differ: {digests}"


def _brief(found: dict[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in ("state", "behind", "error")}


def digest(house: House) -> str:
    """What a hub holds in its registers, all authors' and all kinds', as one hash."""
    path = house.hub.running.folder / "data" / "hub.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(TABLE, [int(time.time())]).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def accused(town: Town) -> list[str]:
    """What hubs hold against each other that would be a lie, a flood or worse."""
    found = []
    for letter, house in town.houses.items():
        for other in town.houses.values():
            if other is not house:
                kept = house.hub.type("partners", "evidence", other.name)
                found += [
                    f"{letter} has {one['alarm']} of {other.letter}"
                    for one in kept
                    if one["alarm"] not in NO_BLAME
                ]
    return found
