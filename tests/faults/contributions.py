# SPDX-License-Identifier: Apache-2.0
"""Contributions and questions as members would send them, each about a picture of its own."""

import random

PDQ_BITS = 256


class Pictures:
    """Codes that look like true PDQ hashes, and are all far from one another."""

    def __init__(self, seed):
        self._random = random.Random(seed)  # noqa: S311  # test data

    def code(self):
        """A new code: as many ones as zeros, as every true one has."""
        ones = self._random.sample(range(PDQ_BITS), PDQ_BITS // 2)
        return f"{sum(1 << bit for bit in ones):064x}"


def contribution(code, *sets, **more):
    """A contribution of one picture into sets."""
    return {
        "item": {"kind": "picture", "codes": [{"signal": "pdq", "code": code, "quality": 90}]},
        "harm": ["solicitation"],
        "use": "profile-picture",
        "depicts": "no-person",
        "basis": "own-service-human",
        "sets": list(sets),
        **more,
    }


def question(*codes):
    """A question about pictures."""
    return {
        "items": [{"codes": [{"signal": "pdq", "code": code, "quality": 90}]} for code in codes]
    }
