# SPDX-License-Identifier: Apache-2.0
"""The prober: writes a reserved control code as anybody writes, and looks until it is found.

Its codes belong to no set and no feed; they are only ever matched under the controls' own label.
"""

from collections.abc import Callable

import numpy as np

from hub.ports import Hub
from hub.services.upkeep import toggle_control
from matching.batches import Batch, Part, words_of
from matching.controls import COUNTS, control_codes
from matching.ports import CONTROLS
from matching.signals import PDQ

LONGEST = 10.0
"""Seconds after which a probe has failed."""


class Prober:
    """Goes round the reserved slots."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._slot = 0
        self._allowed = np.zeros(CONTROLS + 1, np.bool_)
        self._allowed[CONTROLS] = True

    def probe(self, monotonic: Callable[[], float]) -> float | None:
        """Toggle the next slot; returns the seconds until the engine agreed, or None."""
        slot, self._slot = self._slot, (self._slot + 1) % COUNTS["probe"]
        began = monotonic()
        wanted = toggle_control(slot, self._hub) != 0
        self._hub.doorbell.ring()
        while monotonic() - began < LONGEST:
            if self._is_found(slot) is wanted:
                return monotonic() - began
            self._hub.follower.wait_for(self._hub.engine.position + 1, 0.05)
        return None

    def _is_found(self, slot: int) -> bool:
        codes = control_codes(PDQ, "probe")[slot * PDQ.width : (slot + 1) * PDQ.width]
        one = np.zeros(1, np.uint32)
        part = Part(PDQ, words_of(PDQ, codes), one, one.astype(np.uint8))
        radius = {PDQ.name: 0}
        return len(self._hub.engine.search(Batch((part,), 1), self._allowed, radius=radius)) > 0
