# SPDX-License-Identifier: Apache-2.0
"""SHA256 of a file's bytes: equal or nothing."""

from matching.signals.signal import Signal

SHA256 = Signal(
    name="sha256", bits=256, near=0, strong=True, quality_floor=None, source="FIPS 180-4"
)
