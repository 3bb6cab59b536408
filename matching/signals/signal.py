# SPDX-License-Identifier: Apache-2.0
"""What a signal is: a kind of code, its width, its radius, and how its text is read."""

import re
from dataclasses import dataclass
from functools import cached_property

from matching.errors import MalformedHashError


@dataclass(frozen=True)
class Signal:
    """A kind of code.

    Attributes:
        name: as in the API, ``pdq``.
        bits: length of a code.
        near: radius in bits; two codes at most that far apart are a match. 0 means equal.
        strong: whether a hit of this signal alone says anything.
        quality_floor: least quality the hasher must report, 0..100; None where it reports none.
        source: where the signal and its radius come from.
    """

    name: str
    bits: int
    near: int
    strong: bool
    quality_floor: int | None
    source: str

    @property
    def width(self) -> int:
        """Length of a code in bytes."""
        return self.bits // 8

    @property
    def words(self) -> int:
        """Length of a code in 64-bit words, the last one padded with zeros on the right."""
        return -(-self.bits // 64)

    def parse(self, text: str) -> bytes:
        """Read a code from its text, strictly: lower-case hex, nothing before or after.

        Returns:
            ``width`` bytes, big-endian as written.

        Raises:
            MalformedHashError: The text is anything else; the error does not carry it.
        """
        try:
            whole = self._pattern.fullmatch(text)
        except TypeError:
            whole = None
        if whole is None:
            raise MalformedHashError(self.name, self.width * 2)
        return bytes.fromhex(text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(f"[0-9a-f]{{{self.width * 2}}}")
