# SPDX-License-Identifier: Apache-2.0
"""The story, step by step; each step says whether all went as it should."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from hub.client import Client, Matches
from hub.client.files import FileMatch, items_of
from hub.demo import pictures
from hub.demo.running import DemoError, RunningHub
from hub.demo.telling import Row, Step

RESERVED = "rocket"
"""Known to the second operator by itself: it must not be asked about before."""
COPIED, WITHDRAWN = "astronaut", "coffee"
VOTES_COUNT_AFTER = 3.0
PATIENCE = 20.0
UNDER_FIRE = 200
"""Lookups before, between and after Redis is flushed and killed."""


@dataclass
class Story:
    """The demo's cast: a hub, two operators, photographs."""

    hub: RunningHub
    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def steps(self) -> Iterator[Callable[[], Step]]:
        """The steps, in order; each is told when it is called."""
        yield self.contribute
        yield self.match
        yield self.corroborate
        yield self.copy
        yield self.withdraw
        yield self.crash
        yield self.lose_redis

    def contribute(self) -> Step:
        """The first operator contributes photographs; no picture leaves this machine's client."""
        for name, photograph in pictures.photographs(pictures.CONTRIBUTED).items():
            self.files[name] = self._file(name, pictures.png(photograph))
            with self._client(0) as client:
                kept = client.contribute_file(self.files[name], pictures.words(self.hub.set_id))
            self.kept[name] = kept.id
        told = f"{len(self.kept)} photographs known; the hub got their codes alone."
        return Step("contribute", len(self.kept) == len(pictures.CONTRIBUTED), told)

    def match(self) -> Step:
        """The second operator asks about altered copies, unknown photographs, flat pictures."""
        asked = list(self._questions())
        with self._client(1) as client:
            matches = client.match_files([path for _, _, path, _ in asked])
        rows = [
            _row(picture, alteration, promised, match)
            for (picture, alteration, _, promised), match in zip(asked, matches, strict=True)
        ]
        wrong = [row for row in rows if not row.ok]
        promised = [row for row in rows if row.expected == "found"]
        told = (
            f"{sum(row.found for row in promised)} of {len(promised)} promised copies found, "
            f"{sum(row.found for row in rows if row.expected == 'nothing')} false."
        )
        return Step("match", not wrong, told, rows)

    def corroborate(self) -> Step:
        """The second operator knows one picture by itself, recompressed: two voices."""
        photograph = pictures.photographs((RESERVED,))[RESERVED]
        own = self._file("own", pictures.jpeg(photograph, 70))
        with self._client(1) as client:
            client.contribute_file(own, pictures.words(self.hub.set_id))
        found = self._until(0, RESERVED, "corroborated")
        return Step("corroborate", found == "corroborated", f"standing: {found}")

    def copy(self) -> Step:
        """It contributes another one after its hit: a copy, which adds no voice."""
        own = self._file("copy", pictures.jpeg(pictures.photographs((COPIED,))[COPIED], 70))
        with self._client(1) as client:
            client.contribute_file(own, pictures.words(self.hub.set_id))
        time.sleep(2 * VOTES_COUNT_AFTER)
        found = self._standing(0, COPIED)
        return Step("copy adds nothing", found == "review", f"standing: {found}")

    def withdraw(self) -> Step:
        """The first operator withdraws one: at once it is gone for the other."""
        with self._client(0) as client:
            client.withdraw(self.kept[WITHDRAWN])
        found = self._standing(1, WITHDRAWN)
        return Step("withdraw", found == "none", f"the other is told: {found}")

    def crash(self) -> Step:
        """The hub is killed and started again: nothing is lost, nothing comes back."""
        self.hub.kill()
        self.hub.start()
        known, gone = self._standing(1, COPIED), self._standing(1, WITHDRAWN)
        ok = known == "review" and gone == "none"
        return Step("killed and started", ok, f"known: {known}, withdrawn: {gone}")

    def lose_redis(self) -> Step:
        """Its Valkey is flushed and killed under lookups: answers stay right."""
        stop, tally = threading.Event(), _Tally()
        asking = threading.Thread(target=self._ask_on, args=(stop, tally))
        asking.start()
        try:
            tally.wait()
            process, path = self.hub.valkey()
            Redis(unix_socket_path=path).flushall()
            tally.wait()
            os.kill(process, signal.SIGKILL)
            tally.wait()
        finally:
            stop.set()
            asking.join()
        told = f"{tally.asked} lookups, {tally.wrong} wrong, {tally.failed} failed"
        return Step("Redis flushed and killed", tally.ok, told)

    # -- helpers ----------------------------------------------------------------------------------

    def _questions(self) -> Iterator[tuple[str, str, Path, str]]:
        names = tuple(name for name in pictures.CONTRIBUTED if name != RESERVED)
        for name, photograph in pictures.photographs(names).items():
            for alteration in pictures.ALTERATIONS:
                path = self._file(f"{name} {alteration.name}", alteration.make(photograph))
                yield name, alteration.name, path, "found" if alteration.promised else "perhaps"
        for name, photograph in pictures.photographs(pictures.UNKNOWN).items():
            yield (
                name,
                "unknown",
                self._file(name, pictures.png(photograph)),
                "nothing",
            )
        for name in pictures.FLAT:
            yield name, "flat picture", self._file(name, pictures.flat(name)), "nothing"

    def _ask_on(self, stop: threading.Event, tally: "_Tally") -> None:
        unknown = self._file("camera", pictures.png(pictures.photographs(("camera",))["camera"]))
        with self._client(1) as client:
            hashed = client.hasher.hash_files([self.files[COPIED], unknown])
            items = items_of(hashed)
            while not stop.is_set():
                try:
                    tally.take(client.match_items(items))
                except Exception:  # noqa: BLE001 - whatever it is, it is counted
                    tally.failed += 1

    def _until(self, operator: int, name: str, wanted: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while (found := self._standing(operator, name)) != wanted:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
        return found

    def _standing(self, operator: int, name: str) -> str:
        with self._client(operator) as client:
            [match] = client.match_files([self.files[name]])
        if match.answer is None:
            raise DemoError(f"{name} could not be hashed.")
        return match.answer.standing or match.answer.answer

    def _client(self, operator: int) -> Client:
        return Client(self.hub.url, self.hub.keys[operator])

    def _file(self, name: str, content: bytes) -> Path:
        path = self.folder / name.replace("/", "-").replace(" ", "-")
        path.write_bytes(content)
        return path


@dataclass
class _Tally:
    """Counts answers to one known and one unknown picture."""

    asked: int = 0
    wrong: int = 0
    failed: int = 0

    @property
    def ok(self) -> bool:
        return self.asked > 0 and not self.wrong and not self.failed

    def wait(self) -> None:
        """Wait for the next lookups, but not for ever."""
        wanted, deadline = self.asked + self.failed + UNDER_FIRE, time.monotonic() + PATIENCE
        while self.asked + self.failed < wanted and time.monotonic() < deadline:
            time.sleep(0.01)

    def take(self, matches: Matches) -> None:
        known, unknown = matches.answers
        self.asked += 1
        # A hit on the one, and never a hit on the other; "unknown" would be honest, not wrong.
        self.wrong += known.answer == "none" or unknown.answer == "hit"


def _row(picture: str, alteration: str, expected: str, match: FileMatch) -> Row:
    found = match.is_hit
    hit = match.answer.hits[0] if match.answer and match.answer.hits else None
    band = "" if hit is None else "weak" if hit.weak else hit.band
    ok = expected == "perhaps" or found == (expected == "found")
    return Row(picture, alteration, found, band, expected, ok)
