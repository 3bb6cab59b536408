# SPDX-License-Identifier: Apache-2.0
"""What a request can get wrong before anybody looks at what it says.

- HubError
- MalformedBodyError: the body is not the JSON we take
- MissingKeyError: no key, or not a living one
- NotSignedError: no partner signed this request, or not now
- NotWithoutLengthError: say Content-Length
- TooLargeError: send less
- WrongMediaError: send another media type, and not compressed
- UnexpectedBodyError: this route takes none
- TooOftenError: send more slowly
- OddHeaderError: a header is missing or malformed
"""

from hub.domain.errors import BadInputError, Flaw, HubError


class MalformedBodyError(BadInputError):
    """The body is no JSON, or JSON with a trap in it."""

    slug = "malformed-json"

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__([Flaw(slug, detail)])


class MissingKeyError(HubError):
    """No key, an unknown, revoked or expired one: all of them look the same."""

    slug = "unauthorized"

    def __init__(self) -> None:
        super().__init__("Send a valid key: Authorization: Bearer bw_…")


class NotSignedError(HubError):
    """No partner signed the request: nobody known, not all of it, not now, or it came already."""

    slug = "not-signed"


class NotWithoutLengthError(HubError):
    """A body of unknown length is not read."""

    slug = "length-required"

    def __init__(self) -> None:
        super().__init__("Say how long the body is: Content-Length, in bytes.")


class TooLargeError(HubError):
    """The body is longer than the route takes."""

    slug = "too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes; split the request.")


class WrongMediaError(HubError):
    """The body is of a type that the route does not take, or compressed."""

    slug = "unsupported-media-type"


class UnexpectedBodyError(HubError):
    """The route takes no body."""

    slug = "unexpected-body"

    def __init__(self) -> None:
        super().__init__("This route takes no body.")


class OddHeaderError(HubError):
    """A header that is needed is missing or malformed."""

    def __init__(self, slug: str, detail: str) -> None:
        self.slug = slug
        super().__init__(detail)


class TooOftenError(HubError):
    """The operator's requests come faster than allowed.

    Args:
        retry_after: seconds until the next one is taken.
    """

    slug = "too-many-requests"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("Too many requests; wait as long as Retry-After says.")
