# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do with operators, members, keys, sets and grants."""

from typing import Protocol


class Access(Protocol):
    """Operators, members, keys, sets and grants."""
