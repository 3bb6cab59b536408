# SPDX-License-Identifier: Apache-2.0
"""A log that only grows, and how anybody can tell: rules without I/O, clock or chance.

Start at ``checkpoints``: what a log says of itself, in three lines, signed as ``notes`` are.
``merkle`` verifies that an entry is in it and that it only grew, ``proofs`` shows it; ``tiles``
and ``bundles`` are how it lies on disk and behind HTTP; ``cosignatures`` and ``policies`` are who
else must have seen it. The formats are those of C2SP (https://c2sp.org): signed-note,
tlog-checkpoint, tlog-tiles, tlog-cosignature, tlog-policy.
"""
