# SPDX-License-Identifier: Apache-2.0
"""vPDQ: the PDQ of each frame of a video; two videos match by the share of frames that do.

The frames are a signal of their own, so that a picture is looked up among pictures alone. In the
API a frame is a code of ``pdq`` with the time at which it is shown.
"""

from matching.signals.signal import Signal

VPDQ = Signal(
    name="vpdq",
    bits=256,
    near=31,
    strong=True,
    quality_floor=50,
    source="Meta, vpdq and threatexchange's extension of that name (distance 31, quality 50)",
)
SHARE = (4, 5)
"""What share of the frames of one of two videos must be found in the other, as a fraction.

`threatexchange` demands 80 % of those asked and any share of those stored. Asked the other way
round the same two videos match by the other's frames; we ask both ways at once.
"""
