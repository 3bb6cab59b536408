# SPDX-License-Identifier: Apache-2.0
"""Ask many side by side, a few at a time, and wait for nobody longer than for all."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

One = TypeVar("One")
Answer = TypeVar("Answer")

AT_ONCE = 8
SECONDS = 10.0
"""After which nobody waits for the rest."""


def side_by_side(
    ask: Callable[[One], Answer],
    asked: Sequence[One],
    *,
    at_once: int = AT_ONCE,
    seconds: float = SECONDS,
) -> Iterator[Answer]:
    """What comes of asking each, as it comes; of who is too slow, and of what fails, nothing.

    Args:
        ask: asks one; it ends by itself, sooner or later.
        asked: whom to ask.
        at_once: how many are asked at a time.
        seconds: for all of them.
    """
    came: queue.SimpleQueue[list[Answer]] = queue.SimpleQueue()
    turns, is_over = threading.Semaphore(at_once), threading.Event()

    def work(one: One) -> None:
        answer: list[Answer] = []
        with turns:
            try:
                if not is_over.is_set():
                    answer.append(ask(one))
            finally:
                came.put(answer)

    for one in asked:
        threading.Thread(target=work, args=(one,), name="asking", daemon=True).start()
    end = time.monotonic() + seconds
    try:
        for _ in asked:
            yield from came.get(timeout=max(0.0, end - time.monotonic()))
    except queue.Empty:
        return
    finally:
        is_over.set()
