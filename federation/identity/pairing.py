# SPDX-License-Identifier: Apache-2.0
"""What two people exchange before their hubs do: one line that everything else is checked against.

It goes by telephone, on paper or in an annex to a contract, never by the network it vouches for:
``breakwater:<hub>;<address>;root-sha256=<64 hex digits>``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from federation.errors import MalformedError
from federation.forms import names
from federation.identity.addresses import base_url

SCHEME = "breakwater:"
HASH = "root-sha256="
PARTS = 3


@dataclass(frozen=True)
class Pairing:
    """Whom one is going to believe, where it is met, and which root speaks for it.

    Args:
        hub: its name.
        base: its address.
        root_sha256: SHA-256 of the first root of its TUF repository, in hex.

    Raises:
        MalformedError: One of them is none.
    """

    hub: str
    base: str
    root_sha256: str

    def __post_init__(self) -> None:
        _check(names.hub_name, self.hub, "the hub's name")
        _check(base_url, self.base, "the hub's address")
        _check(names.sha256_hex, self.root_sha256, "the root's hash")

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read the line as ``str`` writes it.

        Raises:
            MalformedError: It is another; says which part, and what should stand there.
        """
        if not line.startswith(SCHEME):
            raise MalformedError(f"a pairing string begins with {SCHEME}")
        parts = line.removeprefix(SCHEME).split(";")
        if len(parts) != PARTS:
            raise MalformedError("a pairing string has three parts, with a semicolon between them")
        hub, base, root = parts
        if not root.startswith(HASH):
            raise MalformedError(f"the third part of a pairing string begins with {HASH}")
        return cls(hub, base, root.removeprefix(HASH))

    def __str__(self) -> str:
        return f"{SCHEME}{self.hub};{self.base};{HASH}{self.root_sha256}"


def _check(check: Callable[[str], str], value: str, what: str) -> None:
    try:
        check(value)
    except ValueError as error:
        raise MalformedError(f"a pairing string: {what} is not {error}") from error
