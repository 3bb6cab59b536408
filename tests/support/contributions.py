# SPDX-License-Identifier: Apache-2.0
"""Contributions as members send them, of codes made up from a seed."""

import random


def pdq_code(seed):
    """A code that a picture could have: 128 of its 256 bits are ones."""
    bits = [1] * 128 + [0] * 128
    random.Random(seed).shuffle(bits)  # noqa: S311 - made up, not secret
    return f"{int(''.join(map(str, bits)), 2):064x}"


def contribution(sets, seed, **change):
    """One picture, known from the contributor's own service."""
    return {
        "item": {
            "kind": "picture",
            "codes": [{"signal": "pdq", "code": pdq_code(seed), "quality": 90}],
        },
        "sets": list(sets),
        "harm": ["grooming"],
        "use": "profile-picture",
        "depicts": "synthetic-person",
        "basis": "own-service-human",
        **change,
    }
