# SPDX-License-Identifier: Apache-2.0
"""Memory of two workers of one machine that hold the same codes, less what they take empty.

PSS shares out every page among those that have it mapped, so their sum counts each page once. The
process that built the folder has let go of it by then. Before it is read, each worker has answered
20,000 questions.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.engine.building import files
from bench.engine.data import Held, mixed
from bench.engine.worker import Worker
from bench.measures import Measure, at_most
from bench.stage import SEED, Stage

WORKERS, ASKED = 2, 20_000
REACHES: Mapping[int, float] = {1_000_000: 300, 10_000_000: 300, 100_000_000: 110}
BOOT_AT, BOOT_SECONDS = 10_000_000, 1


def measure(stage: Stage, held: Held, folder: Path) -> Iterator[Measure]:
    """Have two workers open the folder and answer, then look at their memory."""
    stage.tell(f"memory: {held.size:,} codes, {WORKERS} workers")
    with ExitStack() as ends:
        workers = [ends.enter_context(Worker()) for _ in range(WORKERS)]
        took = [worker.call("open", folder) for worker in workers]
        # Made here: a worker's memory is to be the engine's, not the benchmark's.
        asked = mixed(held.first(), ASKED, SEED)
        for worker in workers:
            worker.call("ask", asked)
        taken = sum(worker.bytes for worker in workers)
    size, bound = f"{held.size:,}", REACHES.get(held.size)
    reach = None if bound is None else at_most(bound)
    yield Measure(f"{size}: memory of {WORKERS} workers", taken / held.size, "B/code", reach)
    yield from files(folder, held.size)
    reach = at_most(BOOT_SECONDS) if held.size == BOOT_AT else None
    yield Measure(f"{size}: boot from local segments", median(took), "s", reach)
