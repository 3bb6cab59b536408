# SPDX-License-Identifier: Apache-2.0
"""One kept connection to a hub, as thin as can be: the caller must not cost what it measures."""

import http.client
import socket
import uuid
from dataclasses import dataclass
from typing import Any, Self

import orjson

TIMEOUT = 60.0


class RefusedError(Exception):
    """The hub answered something else than it should."""


@dataclass
class Line:
    """A connection that speaks for one key."""

    port: int
    key: str

    def __enter__(self) -> Self:
        self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        self._http.connect()
        self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def ask(self, body: bytes) -> Any:
        """Match."""
        return self.call("POST", "/v1/match", body)

    def give(self, body: bytes) -> Any:
        """Contribute."""
        return self.call("POST", "/v1/indicators", body)

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """One request; returns what the answer's JSON says.

        Raises:
            RefusedError: The answer is no success.
        """
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = uuid.uuid4().hex
        self._http.request(method, path, body, headers)
        response = self._http.getresponse()
        text = response.read()
        if response.status // 100 != 2:  # noqa: PLR2004 - the successes
            raise RefusedError(f"{method} {path}: {response.status}")
        return orjson.loads(text)


def question(code: str) -> bytes:
    """The body of a single lookup, as a platform would send it."""
    return orjson.dumps({"items": [{"codes": [{"signal": "pdq", "code": code, "quality": 90}]}]})


def questions(codes: list[str]) -> bytes:
    """The body of a batch of lookups."""
    return orjson.dumps({"codes": {"pdq": codes}})


def indicator(code: str, sharing_set: str) -> dict[str, Any]:
    """A contribution of one picture."""
    return {
        "item": {"kind": "picture", "codes": [{"signal": "pdq", "code": code, "quality": 90}]},
        "harm": ["solicitation"],
        "use": "profile-picture",
        "depicts": "no-person",
        "basis": "own-service-human",
        "sets": [sharing_set],
    }


def contribution(code: str, sharing_set: str) -> bytes:
    """The body of one contribution."""
    return orjson.dumps(indicator(code, sharing_set))


def contributions(codes: list[str], sharing_set: str) -> bytes:
    """The body of a batch of contributions."""
    return orjson.dumps({"indicators": [indicator(code, sharing_set) for code in codes]})
