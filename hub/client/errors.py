# SPDX-License-Identifier: Apache-2.0
"""What can go wrong when asking a hub, sorted by what the caller can do about it.

ClientError
- UnreachableError: no answer came, however often it was asked. Try again later.
- ApiError: the hub refused; its ``slug`` says why. Mostly: mend the request.
- ProtocolError: the answer is not what the API promises. Compare the versions.

Nothing here repeats a code, an account or a key.
"""

from dataclasses import dataclass
from typing import Any

URN = "urn:breakwater:problem:"
"""What every type of problem begins with."""


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong with a request, or with a row of a batch."""

    type: str
    detail: str
    index: int | None = None
    field: str | None = None

    @property
    def slug(self) -> str:
        """The last word of its type."""
        return self.type.rpartition(":")[2]


class ClientError(Exception):
    """The family: catch this to catch all of them."""


class UnreachableError(ClientError):
    """No answer came from the hub."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"The hub did not answer: {type(cause).__name__}.")


class ApiError(ClientError):
    """The hub refused: a problem of RFC 9457."""

    def __init__(
        self,
        status: int,
        *,
        type: str = "about:blank",  # noqa: A002 - RFC 9457 calls it so
        title: str = "",
        detail: str = "",
        errors: tuple[Flaw, ...] = (),
        request_id: str | None = None,
    ) -> None:
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.errors = errors
        self.request_id = request_id
        said = ": ".join(part for part in (title, detail) if part)
        super().__init__(f"{said or 'The hub refused.'} ({status})")

    @property
    def slug(self) -> str:
        """The last word of its type: stable, fit to be compared."""
        return self.type.rpartition(":")[2]


class ProtocolError(ClientError):
    """The answer is not what the API promises."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The hub's answer is not what the API promises: {what}.")


def flaw_of(told: Any) -> Flaw:
    """Read one flaw of a problem, or of a row of a batch."""
    return Flaw(told["type"], told.get("detail", ""), told.get("index"), told.get("field"))


def problem_of(status: int, body: Any) -> ApiError:
    """Read a refusal; whatever the body is, it becomes one."""
    if not isinstance(body, dict):
        return ApiError(status)
    try:
        errors = tuple(map(flaw_of, body.get("errors", ())))
    except (KeyError, TypeError, AttributeError):
        errors = ()
    texts = {name: body[name] for name in ("type", "title", "detail") if name in body}
    return ApiError(status, **texts, errors=errors, request_id=body.get("request_id"))
