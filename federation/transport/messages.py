# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as they go over the wire: values, before anybody believes them."""

from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request as it is sent.

    Args:
        method: in capitals.
        url: the whole of it, as its partner writes it: see ``signatures.served_url``.
        headers: all lines, in order.
        body: None if it has none, which is not the same as an empty one.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Response:
    """An answer as it is sent: its body is what went over the wire, maybe packed."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
