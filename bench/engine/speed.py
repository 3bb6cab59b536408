# SPDX-License-Identifier: Apache-2.0
"""Time per query, beside the rivals' in the same run: the same questions, one thread each.

A quarter of the questions is held exactly, a quarter is near to what is held, half is unknown.
Each round has a batch of its own; before anything is timed, all must find the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import median

import numpy as np

from bench.engine import ours, rivals
from bench.engine.data import Held, Words, mixed
from bench.engine.rivals import Contender
from bench.engine.timing import Work, in_turns, ratios
from bench.lookups import WrongAnswerError
from bench.measures import Measure, Reach, at_most
from bench.stage import SEED, Stage
from matching.engine import Engine

ROUNDS, AT_ONCE, ONE_BY_ONE = 5, 1_000, 200
OURS, LIMIT = "ours", "1 GiB read"
READ_BYTES, QUERY_BYTES = 1 << 30, 66_000
"""One thread's yardstick; and what the plan must read for a query at a million codes."""
LIMIT_AT = 1_000_000
SINGLE = ", one by one"

RIVALS: Mapping[str, tuple[Callable[[Words], Contender], int]] = {
    rivals.FLAT: (rivals.flat, 10_000_000),
    rivals.MULTI: (rivals.multi, 1_000_000),
    rivals.PEER: (rivals.peer, 1_000_000),
}
"""Each up to so many codes: beyond, it takes minutes, or more memory than there is."""
REACHES: Mapping[tuple[int, str], float] = {
    (1_000_000, rivals.FLAT): 1 / 40,
    (1_000_000, rivals.MULTI): 1 / 40,
    (1_000_000, rivals.PEER): 1 / 25,
    (10_000_000, rivals.FLAT): 1 / 75,
}
MOST_US: Mapping[int, float] = {100_000_000: 3_000}


def measure(stage: Stage, held: Held, engine: Engine) -> Iterator[Measure]:
    """Ask the engine and every rival that is good for so many codes."""
    contenders = [_ours(engine), *_rivals(stage, held)]
    batches = [mixed(held.first(), AT_ONCE, SEED + 10 * number) for number in range(ROUNDS)]
    stage.tell(f"speed: {held.size:,} codes, {ROUNDS} rounds")
    _agree(contenders, batches[0])
    works = dict(_works(contenders, batches))
    if held.size == LIMIT_AT:
        works[LIMIT] = _reading()
    yield from _told(held.size, in_turns(works, ROUNDS))


def _ours(engine: Engine) -> Contender:
    return Contender(
        OURS, ours.question, lambda b: ours.ask(engine, b, ours.everything()), ours.found
    )


def _rivals(stage: Stage, held: Held) -> Iterator[Contender]:
    wanted = {name: make for name, (make, most) in RIVALS.items() if held.size <= most}
    words = held.words() if wanted else held.first()
    for name, make in wanted.items():
        stage.tell(f"speed: {held.size:,} codes into {name}")
        yield make(words)


def _agree(contenders: Sequence[Contender], asked: Words) -> None:
    """Hold the answers against ours.

    Raises:
        WrongAnswerError: Somebody finds something else.
    """
    first, *others = (set(_told_by(one, asked)) for one in contenders)
    for one, answer in zip(contenders[1:], others, strict=True):
        if answer != first:
            raise WrongAnswerError(f"{one.name} and ours differ in {len(answer ^ first)} rows")


def _told_by(one: Contender, asked: Words) -> Iterator[tuple[int, int, int]]:
    found = one.found(one.ask(one.ready(asked)))
    return zip(found.query.tolist(), found.row.tolist(), found.distance.tolist(), strict=True)


def _works(
    contenders: Sequence[Contender], batches: Sequence[Words]
) -> Iterator[tuple[str, Work]]:
    for one in contenders:
        whole = [one.ready(batch) for batch in batches]
        single = [[one.ready(code[None]) for code in batch[:ONE_BY_ONE]] for batch in batches]
        if one.takes_batches:
            yield one.name, partial(_ask_number, one, whole)
        yield one.name + SINGLE, partial(_ask_singles, one, single)


def _ask_number(one: Contender, ready: Sequence[object], number: int) -> None:
    one.ask(ready[number])


def _ask_singles(one: Contender, ready: Sequence[Sequence[object]], number: int) -> None:
    for asked in ready[number]:
        one.ask(asked)


def _reading() -> Work:
    memory = np.ones(READ_BYTES // 8, np.uint64)
    return lambda _number: np.add.reduce(memory)


def _told(size: int, taken: Mapping[str, Sequence[float]]) -> Iterator[Measure]:
    per_query = {
        name: [s / (ONE_BY_ONE if name.endswith(SINGLE) else AT_ONCE) for s in of]
        for name, of in taken.items()
        if name != LIMIT
    }
    for name, of in per_query.items():
        most = MOST_US.get(size) if name == OURS else None
        reach = None if most is None else at_most(most)
        yield Measure(f"{size:,}: {name}", 1e6 * median(of), "us/query", reach)
    yield from _compared(size, per_query)
    if LIMIT in taken:
        mine = per_query[OURS]
        least = [QUERY_BYTES / (READ_BYTES / s) for s in taken[LIMIT]]
        yield _ratio(f"{size:,}: ours / the least a memory allows", mine, least, at_most(4))
        rate = READ_BYTES / median(taken[LIMIT]) / 1e9
        yield Measure("one thread reads 1 GiB", rate, "GB/s")


def _compared(size: int, per_query: Mapping[str, Sequence[float]]) -> Iterator[Measure]:
    """Like with like; and with who takes no batches, both ways."""
    for name, of in per_query.items():
        rival = name.removesuffix(SINGLE)
        if rival == OURS:
            continue
        alone = rival not in per_query
        bound = REACHES.get((size, rival)) if alone or name == rival else None
        reach = None if bound is None else at_most(bound)
        if name == rival or alone:
            yield _ratio(f"{size:,}: ours / {name}", per_query[OURS], of, reach)
        if name != rival:
            yield _ratio(f"{size:,}: ours{SINGLE} / {name}", per_query[OURS + SINGLE], of, reach)


def _ratio(
    name: str, one: Sequence[float], other: Sequence[float], reach: Reach | None
) -> Measure:
    return Measure(name, median(ratios(one, other)), "", reach)
