# SPDX-License-Identifier: Apache-2.0
"""pHash: 64 bits of a picture, as `imagehash` computes them. Weak: a support of other hits."""

from matching.signals.signal import Signal

PHASH = Signal(
    name="phash",
    bits=64,
    near=6,
    strong=False,
    quality_floor=None,
    source="imagehash.phash (hash_size 8, highfreq_factor 4); radius: ours",
)
