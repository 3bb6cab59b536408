# SPDX-License-Identifier: Apache-2.0
"""Makes all vectors anew but the addresses: ``python -m tests.vectors.federation``."""

from tests.hostile import vectors
from tests.vectors.federation import carried, log, tiles

for made in (log, tiles, carried, vectors):
    made.main()
