# SPDX-License-Identifier: Apache-2.0
"""How fast a hub takes many contributions, and how long it then links neighbours."""

from collections.abc import Iterator

from bench.measures import Measure
from bench.stage import Stage


def measure(stage: Stage) -> Iterator[Measure]:
    """Contribute through the API, 1,000 a request; says nothing where they are too many for it."""
    loaded = stage.loaded
    if loaded.rate is None or loaded.settled is None:
        return
    yield Measure("contributed, 1,000 a request", loaded.rate, "codes/s")
    yield Measure(f"links of {len(loaded.codes):,} after the last", loaded.settled, "s")
