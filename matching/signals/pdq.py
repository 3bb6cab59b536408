# SPDX-License-Identifier: Apache-2.0
"""PDQ: 256 bits of a picture that survive recompression, scaling and small overlays.

A true PDQ hash has exactly 128 ones: each bit says whether a coefficient is above the median.
"""

from matching.signals.signal import Signal

PDQ = Signal(
    name="pdq",
    bits=256,
    near=31,
    strong=True,
    quality_floor=50,
    source="Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019",
)
