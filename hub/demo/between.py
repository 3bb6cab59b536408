# SPDX-License-Identifier: Apache-2.0
"""The story between hubs, step by step; each step says whether all went as it should."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.client import Client, Opinion
from hub.client.answers import Answer
from hub.client.files import items_of
from hub.client.values import Item
from hub.demo import pictures
from hub.demo.lying import EVIDENCE, REFUSED, saw_all_of, second_history
from hub.demo.paired import Paired, at_once, pair, share
from hub.demo.telling import Step
from matching.pictures import Hasher

MATCHED, RESERVED = "astronaut", "rocket"
"""The second is known to another operator too, which must not have asked about it before."""
DISPUTED, WITHDRAWN = "chelsea", "coffee"
MEANWHILE = ("motorcycle_left", "retina")
"""What the first and the last hub contribute while the second is cut off."""
PATIENCE = 90.0
"""Seconds after which what should happen is taken to never happen."""
LOOK = 0.02
CUT_OFF = 3.0
"""Seconds for which a hub is cut off at least."""


@dataclass
class Between:
    """The cast: three hubs, an operator or two at each, photographs.

    Attributes:
        hubs: three, running, that know nobody yet.
        folder: for pictures.
        hasher: hashes them.
        say: tells what takes a while.
    """

    hubs: Sequence[Paired]
    folder: Path
    hasher: Hasher
    say: Callable[[str], object]
    shared: str = ""
    asked: dict[str, Item] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def steps(self) -> Iterator[Callable[[], Step]]:
        """The steps, in order; each is told when it is called."""
        yield self.pair
        yield self.match
        yield self.corroborate
        yield self.dispute
        yield self.withdraw
        yield self.cut_off
        yield self.agree
        yield self.lie

    def pair(self) -> Step:
        """Three organisations pair their hubs at the console and share one set."""
        began = time.monotonic()
        pair(self.hubs)
        self.shared = share(self.hubs)
        follow = self._until(self._all_follow)
        typed = sum(hub.typed for hub in self.hubs)
        told = f"{typed} commands typed at three consoles; each hub follows the two others."
        return Step("pair", follow, told, seconds=time.monotonic() - began)

    def match(self) -> Step:
        """A platform at hub A contributes a lure picture; who sees it elsewhere is told."""
        a, b, c = self.hubs
        self._contribute(a, MATCHED)
        began = time.monotonic()
        found = self._until(lambda: self._standing(b, MATCHED) == "review")
        took = time.monotonic() - began
        found = self._until(lambda: self._standing(c, MATCHED) == "review") and found
        told = f"matched at hub B {took:.2f} s after hub A took it, and at hub C; for review."
        return Step("match across hubs", found, told, seconds=took)

    def corroborate(self) -> Step:
        """The operator of hub B knows a picture by itself, recompressed: two voices."""
        a, b, c = self.hubs
        self._contribute(a, RESERVED, DISPUTED, WITHDRAWN)
        self._until(lambda: self._standing(c, WITHDRAWN) == "review")
        photograph = pictures.photographs((RESERVED,))[RESERVED]
        own = self._file("own", pictures.jpeg(photograph, 70))
        with self._client(b) as client:
            client.contribute_file(own, pictures.words(self.shared))
        began = time.monotonic()
        self.say("  A hub's word counts once a third hub saw its log; waiting for that…")
        times = at_once(lambda hub: self._reached(hub, RESERVED, "corroborated"), self.hubs)
        told = ", ".join(
            f"at hub {_letter(hub)} after {when - began:.1f} s" if when else "not at all"
            for hub, when in zip(self.hubs, times, strict=True)
        )
        ok = all(when is not None for when in times)
        took = max((when - began for when in times if when is not None), default=None)
        return Step("corroborate", ok, f"corroborated {told}", seconds=took)

    def dispute(self) -> Step:
        """A hotline at hub C has looked and disagrees: hub A says so too."""
        a, _, c = self.hubs
        said = Opinion(self.shared, "disagree", "benign", "own-service-human", assessed_by=1)
        with self._client(c) as client:
            client.give_opinion(self.kept[DISPUTED], said)
        began = time.monotonic()
        when = self._reached(a, DISPUTED, "disputed")
        took = None if when is None else when - began
        told = "not shown" if took is None else f"disputed at hub A after {took:.2f} s"
        return Step("dispute", when is not None, told, seconds=took)

    def withdraw(self) -> Step:
        """The platform at hub A withdraws a picture: it is gone everywhere."""
        a, b, c = self.hubs
        with self._client(a) as client:
            client.withdraw(self.kept[WITHDRAWN])
        began = time.monotonic()
        times = at_once(lambda hub: self._reached(hub, WITHDRAWN, "none"), (b, c))
        if None in times:
            return Step("withdraw", ok=False, told="not gone")
        took = max(when - began for when in times if when is not None)
        return Step("withdraw", ok=True, told=f"gone at B and C after {took:.2f} s", seconds=took)

    def cut_off(self) -> Step:
        """Hub B is cut off; A and C go on. Then it is back, and catches up by itself."""
        a, b, c = self.hubs
        b.running.freeze()
        stopped = time.monotonic()
        self._contribute(a, MEANWHILE[0])
        self._contribute(c, MEANWHILE[1])
        went_on = self._until(lambda: self._standing(c, MEANWHILE[0]) == "review")
        went_on = self._until(lambda: self._standing(a, MEANWHILE[1]) == "review") and went_on
        time.sleep(max(0.0, stopped + CUT_OFF - time.monotonic()))
        b.running.thaw()
        back = time.monotonic()
        caught_up = all(self._reached(b, name, "review") for name in MEANWHILE)
        took = time.monotonic() - back
        told = (
            f"cut off for {back - stopped:.1f} s; A and C told each other meanwhile; "
            f"B had caught up {took:.2f} s after it was back"
        )
        return Step("cut off", went_on and caught_up, told, seconds=took)

    def agree(self) -> Step:
        """Whatever came in whatever order: all three hubs say the same of every picture."""
        names = [name for name in self.asked if name in self.kept]
        states: list[dict[str, str]] = []

        def are_equal() -> bool:
            states[:] = [{name: self._standing(hub, name) for name in names} for hub in self.hubs]
            return all(one == states[0] for one in states) and self._all_follow()

        equal = self._until(are_equal)
        told = ", ".join(f"{name} {standing}" for name, standing in states[0].items())
        return Step("equal state", equal, f"at all three: {told}")

    def lie(self) -> Step:
        """Somebody has the keys of hub C and signs a second history: A and B do not follow it."""
        a, b, c = self.hubs
        before = {hub.name: self._standing(hub, RESERVED) for hub in (a, b)}
        at_once(lambda hub: self._until(lambda: saw_all_of(c, hub)), (a, b))
        shown = [second_history(c, hub) for hub in (a, b)]
        evidence = [hub.type("partners", "evidence", c.name) for hub in (a, b)]
        proofs = [one for kept in evidence for one in kept if one["alarm"] == "fork"]
        states = [hub.partners() for hub in (a, b)]
        suspended = all(known[c.name]["state"] == "suspended" for known in states)
        others = states[0][b.name]["state"] == states[1][a.name]["state"] == "active"
        stays = all(self._standing(hub, RESERVED) == before[hub.name] for hub in (a, b))
        known = all(self._standing(hub, MATCHED) == "review" for hub in (a, b))
        ok = (
            all(status == REFUSED for _, status in shown)
            and len(proofs) == len(shown)
            and all(len(one["proof"]) == EVIDENCE for one in proofs)
        )
        told = (
            f"refused with {', '.join(str(status) for _, status in shown)} at "
            f"{shown[0][0]} entries; both signed histories kept as evidence at A and B; "
            f"C is {'' if suspended else 'not '}suspended there; A and B "
            f"{'go' if others and stays and known else 'do not go'} on as before"
        )
        return Step("two histories", ok and suspended and others and stays and known, told)

    # -- helpers ----------------------------------------------------------------------------------

    def _contribute(self, hub: Paired, *names: str) -> None:
        for name, photograph in pictures.photographs(names).items():
            path = self._file(name, pictures.png(photograph))
            [self.asked[name]] = items_of(self.hasher.hash_files([path]))
            with self._client(hub) as client:
                self.kept[name] = client.contribute_file(path, pictures.words(self.shared)).id

    def _reached(self, hub: Paired, name: str, wanted: str) -> float | None:
        """When a hub said so; None: it never did."""
        if self._until(lambda: self._standing(hub, name) == wanted):
            return time.monotonic()
        return None

    def _standing(self, hub: Paired, name: str) -> str:
        answer = self._answer(hub, name)
        return answer.standing or answer.answer

    def _answer(self, hub: Paired, name: str) -> Answer:
        with self._client(hub) as client:
            [answer] = client.match_items([self.asked[name]]).answers
        return answer

    def _all_follow(self) -> bool:
        """Whether each follows the two others, nobody is behind, and nothing is amiss."""
        found = [one for hub in self.hubs for one in hub.partners().values()]
        return len(found) == len(self.hubs) * (len(self.hubs) - 1) and all(
            one["state"] == "active" and not one["behind"] and not one["error"] for one in found
        )

    def _until(self, is_so: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK)
        return True

    def _client(self, hub: Paired) -> Client:
        return Client(hub.running.url, hub.key, hasher=self.hasher)

    def _file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


def _letter(hub: Paired) -> str:
    return hub.name.removeprefix("hub-")[0].upper()
