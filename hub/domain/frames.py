# SPDX-License-Identifier: Apache-2.0
"""The frames of a video: which of them tell something.

A video fades through black and rests on a still picture. What shows nothing would be found in
everybody's videos, and what looks exactly like an earlier frame adds nothing: neither is kept.
"""

from collections.abc import Iterable

from hub.domain.guards import FRAME, is_blurred
from hub.domain.indicators import Code
from matching.degenerate import is_degenerate


def telling(codes: Iterable[Code]) -> tuple[Code, ...]:
    """The codes of an item without the frames that tell nothing, in order."""
    seen: set[bytes] = set()
    kept: list[Code] = []
    for code in codes:
        if code.signal == FRAME:
            if code.value in seen or is_blurred(code) or is_degenerate(code.value):
                continue
            seen.add(code.value)
        kept.append(code)
    return tuple(kept)
