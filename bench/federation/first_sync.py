# SPDX-License-Identifier: Apache-2.0
"""The first sync of a hub that joins: hub B takes all that hub C ever said, and verifies it.

What C holds was laid into its database; what it says of it is said by itself: planned, signed,
logged. Meanwhile B serves its own member, and follows hub A, which takes back what it said.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.calls import contribution, contributions
from bench.codes import Bits, as_hex, random_codes
from bench.federation import taxii
from bench.federation.books import applied, await_true, cpu_seconds, log_of
from bench.federation.community import (
    A,
    B,
    C,
    hubs,
    line,
    new_set,
    pair_also,
    tell_of,
)
from bench.federation.watching import LOST, found_of, until
from bench.filling import fill
from bench.lookups import WrongAnswerError
from bench.measures import Measure, at_least, at_most, percentile
from bench.stage import SEED, Stage
from hub.demo.paired import HEARD, Paired, admit, pair
from hub.settings import Settings

REACH = 2_000
"""Operations a second and core; the goal is 3,000."""
TO_MATCH, TO_VANISH = 1, 10
"""Seconds."""
WITHDRAWN = 20
"""As many as a partner may take back in a day without anybody's look, however few it has."""
ASKED = 2_000
"""Of what came, so much is asked for at the end, and the very last as well."""
PAUSE = 0.5
"""Seconds between two contributions at B, and between two withdrawals at A at least."""
PATIENCE = 7_200.0
MOST = 10_000
"""Contributions at B, should it take so long."""


@dataclass
class Meanwhile:
    """What happens at B while it syncs: until ``stop`` is set."""

    stop: threading.Event = field(default_factory=threading.Event)
    kept: list[float] = field(default_factory=list)
    """Seconds that B's member waited for each 201."""
    matched: list[float] = field(default_factory=list)
    """Seconds from each 201 until B found it."""
    vanished: list[float] = field(default_factory=list)
    """Seconds from each withdrawal at A until B did not find it any more."""
    failed: list[Exception] = field(default_factory=list)

    def thread(self, does: Callable[..., None], *told: object) -> threading.Thread:
        """A thread that does something; what it fails of is kept."""

        def run() -> None:
            try:
                does(*told)
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                self.failed.append(error)

        return threading.Thread(target=run, daemon=True)

    def contribute(self, hub: Paired, into: str) -> None:
        """Contribute at B, as its member, and look for it there."""
        with line(hub) as giving:
            for text in as_hex(random_codes(MOST, SEED + 41)):
                if self.stop.wait(PAUSE):
                    return
                began = time.perf_counter()
                giving.give(contribution(text, into))
                given = time.perf_counter()
                self.kept.append(given - began)
                self.matched.append(until(giving, text, found=True) - given)

    def withdraw(self, a: Paired, b: Paired, known: Sequence[tuple[str, str]]) -> None:
        """Withdraw at A one after the other, and look until B does not find it any more."""
        with line(a) as taking, line(b) as asking:
            for text, name in known:
                if self.stop.wait(PAUSE):
                    return
                taking.call("POST", f"/v1/indicators/{name}/withdraw", b"{}")
                done = time.perf_counter()
                self.vanished.append(until(asking, text, found=False) - done)


@dataclass(frozen=True)
class Sync:
    """What a first sync came to.

    Attributes:
        seconds: by the clock, until the last of it was found.
        worked: seconds of processor that hub B had meanwhile, in all its processes.
        beside: what happened meanwhile.
    """

    seconds: float
    worked: float
    beside: Meanwhile


def measure(stage: Stage) -> Iterator[Measure]:
    """Let C say all of it, then let B take it."""
    count = stage.operations
    with hubs(stage.folder / "first-sync", (A, B, C)) as (a, b, c):
        own, theirs = _settled(a, b, c)
        codes = random_codes(count, SEED + 40)
        stage.tell(f"hub C is laid out with {count:,} indicators, and says them")
        said_for = _say_all(b, c, theirs, codes)
        known = _contributed(a, b, own)
        yield Measure("operations of the first sync", count, "")
        yield Measure("said by hub C: planned, signed, logged", count / said_for, "operations/s")
        stage.tell(f"hub B takes {count:,} operations")
        sync = _synced((a, b, c), own, known, as_hex(codes))
    yield from _figures(sync, count)
    yield from _beside(stage, count / sync.seconds)


def _settled(a: Paired, b: Paired, c: Paired) -> tuple[str, str]:
    """Pair B with both others; returns what A and B share, and what C and B share."""
    pair((b, a))
    pair_also(b, c)
    # Until all is there, C is not followed: it is the first sync that is measured.
    b.type("partners", "pause", c.name)
    own, theirs = new_set(a, "of A"), new_set(c, "of C")
    tell_of(a, b, own)
    tell_of(b, a, own, name="of A")
    tell_of(b, c, theirs, name="of C")
    member = admit(b, own)
    b.type("sets", "grant", theirs, member, "lookup")
    admit(a, own)
    time.sleep(HEARD)
    return own, theirs


def _say_all(b: Paired, c: Paired, theirs: str, codes: Bits) -> float:
    """Lay out C, and let it say all of it to B; returns how many seconds that takes."""
    member = admit(c, theirs)
    c.running.stop()
    fill(Settings.read(c.running.environment()), codes, [(member, theirs)])
    c.running.start()
    # Its own changes are behind it before it has anybody to tell of them.
    time.sleep(HEARD)
    began = time.perf_counter()
    tell_of(c, b, theirs)
    await_true(lambda: log_of(c).shown >= len(codes), "hub C says all", patience=PATIENCE)
    return time.perf_counter() - began


def _contributed(a: Paired, b: Paired, own: str) -> list[tuple[str, str]]:
    """What A is to take back; each code with its indicator's id. B finds all of it."""
    texts = as_hex(random_codes(WITHDRAWN, SEED + 42))
    with line(a) as giving:
        kept = giving.give(contributions(texts, own))["results"]
    with line(b) as asking:
        for text in texts:
            until(asking, text, found=True)
    return [(text, one["id"]) for text, one in zip(texts, kept, strict=True)]


def _synced(
    all_hubs: tuple[Paired, Paired, Paired],
    own: str,
    known: Sequence[tuple[str, str]],
    texts: Sequence[str],
) -> Sync:
    a, b, c = all_hubs
    beside = Meanwhile()
    threads = [
        beside.thread(beside.contribute, b, own),
        beside.thread(beside.withdraw, a, b, known),
    ]
    asked = [*texts[:: max(1, len(texts) // ASKED)], texts[-1]]
    if any(_asked(b, asked)):
        raise WrongAnswerError("hub B knew what it was not told")
    before, began = cpu_seconds(b), time.perf_counter()
    b.type("partners", "resume", c.name)
    for thread in threads:
        thread.start()
    try:
        await_true(lambda: applied(b, c) >= len(texts), "hub B takes all", patience=PATIENCE)
        await_true(lambda: all(_asked(b, asked)), "hub B finds all", patience=LOST)
        took = Sync(time.perf_counter() - began, cpu_seconds(b) - before, beside)
    finally:
        beside.stop.set()
        for thread in threads:
            thread.join()
    if beside.failed:
        raise beside.failed[0]
    return took


def _asked(hub: Paired, texts: Sequence[str]) -> list[bool]:
    # On a connection of its own: one that nobody uses for long is hung up.
    with line(hub) as asking:
        return found_of(asking, texts)


def _figures(sync: Sync, count: int) -> Iterator[Measure]:
    name, beside = "first sync, verified and matchable", sync.beside
    yield Measure(f"{name}: a core", count / sync.worked, "operations/s", at_least(REACH))
    yield Measure(f"{name}: by the clock", count / sync.seconds, "operations/s")
    yield Measure(f"{name}: cores that hub B used", sync.worked / sync.seconds, "")
    name = "meanwhile, a member's time to match at hub B"
    yield Measure(f"{name}: most", max(beside.matched), "s", at_most(TO_MATCH))
    yield Measure(f"{name}: p50", percentile(beside.matched, 0.5), "s")
    yield Measure(f"{name}: how many", len(beside.matched), "")
    yield Measure(
        "meanwhile, a member's wait for its 201: p99", percentile(beside.kept, 0.99), "s"
    )
    name = "meanwhile, withdrawal at hub A to gone at hub B"
    yield Measure(f"{name}: most", max(beside.vanished), "s", at_most(TO_VANISH))
    yield Measure(f"{name}: p50", percentile(beside.vanished, 0.5), "s")
    yield Measure(f"{name}: how many", len(beside.vanished), "")


def _beside(stage: Stage, ours: float) -> Iterator[Measure]:
    """The rival in the same run; of as many as it can serve."""
    stage.tell(f"taxii2-client pulls {taxii.COUNT:,} indicators from medallion")
    theirs = taxii.pulled_a_second(stage.folder)
    name = f"taxii2-client pulls {taxii.COUNT:,} from medallion, unsigned, not matchable"
    yield Measure(name, theirs, "indicators/s")
    yield Measure("first sync by the clock, as a multiple of that", ours / theirs, "times")
