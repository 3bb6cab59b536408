# SPDX-License-Identifier: Apache-2.0
"""MD5 of a file's bytes: equal or nothing."""

from matching.signals.signal import Signal

MD5 = Signal(name="md5", bits=128, near=0, strong=True, quality_floor=None, source="RFC 1321")
