# SPDX-License-Identifier: Apache-2.0
"""SHA1 of a file's bytes: equal or nothing."""

from matching.signals.signal import Signal

SHA1 = Signal(name="sha1", bits=160, near=0, strong=True, quality_floor=None, source="FIPS 180-4")
