# SPDX-License-Identifier: Apache-2.0
"""Waiting for what real processes do in their own time."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE = 120.0
"""Seconds after which something that should happen is taken to never happen."""


def eventually(
    question: Callable[[], Answer | None], complaint: Callable[[], object] | None = None
) -> Answer:
    """Ask until the answer is true; a failed test says what never happened."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.01)
    raise AssertionError(complaint() if complaint else f"did not happen: {question}")
