# SPDX-License-Identifier: Apache-2.0
"""Neighbours: indicators of one set that know the same picture, linked as votes both ways.

- `job` handles what changed, in order; `finding` searches; `linking` says what votes there are;
  `copies` tells which contributions add no voice.
"""

from hub.services.neighbours.copies import late_copies
from hub.services.neighbours.job import backlog, link_neighbours

__all__ = ["backlog", "late_copies", "link_neighbours"]
