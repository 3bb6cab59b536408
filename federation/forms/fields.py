# SPDX-License-Identifier: Apache-2.0
"""Reads the members of a JSON object one by one, and refuses what nobody asked for."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from federation.errors import MalformedError

T = TypeVar("T")
Check = Callable[[Any], T]
"""Returns the value as the protocol means it; raises ValueError for any other."""

LARGEST = 2**53 - 1  # a whole number that every JSON reader keeps


class Fields:
    """The members of one object, each of which is taken once.

    Args:
        members: as read.
        where: what the object is, for the error.
    """

    def __init__(self, members: Mapping[str, Any], where: str) -> None:
        self._left = dict(members)
        self._where = where

    def take(self, name: str, check: Check[T]) -> T:
        """A member that must be there.

        Raises:
            MalformedError: It is not, or is no such value.
        """
        if name not in self._left:
            raise MalformedError(f"{self._where} lacks {name}")
        return self._checked(name, check)

    def maybe(self, name: str, check: Check[T]) -> T | None:
        """A member that may be missing; null is not missing."""
        return self._checked(name, check) if name in self._left else None

    def end(self) -> None:
        """Refuse what was not taken: nobody may smuggle what nobody reads."""
        if self._left:
            raise MalformedError(f"{self._where} has members that this version does not know")

    def _checked(self, name: str, check: Check[T]) -> T:
        try:
            return check(self._left.pop(name))
        except ValueError as error:
            raise MalformedError(f"{self._where}: {name} is not {error}") from error


def text(pattern: str, what: str) -> Check[str]:
    """A check of a text against a pattern, from its beginning to its very end."""
    fits = re.compile(pattern, re.ASCII).fullmatch

    def check(value: Any) -> str:
        if not isinstance(value, str) or not fits(value):
            raise ValueError(what)
        return value

    return check


def whole(least: int, most: int = LARGEST) -> Check[int]:
    """A check of a whole number; true and 1.0 are none."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def one_of(*words: str) -> Check[str]:
    """A check of a word of this protocol's own."""
    known = frozenset(words)

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"one of {', '.join(words)}")
        return value

    return check


def many(check: Check[T], least: int, most: int) -> Check[tuple[T, ...]]:
    """A check of a list of things, each of which is checked, none of which is there twice."""

    def check_all(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(f"a list of {least} to {most}")
        checked = tuple(check(one) for one in value)
        if len(set(checked)) != len(checked):
            raise ValueError("a list without repetition")
        return checked

    return check_all


def or_null(check: Check[T]) -> Check[T | None]:
    """A check of something that may be null, where null says something."""

    def check_one(value: Any) -> T | None:
        return None if value is None else check(value)

    return check_one


def members(value: Any) -> dict[str, Any]:
    """A check of an object, whose members are then taken by ``Fields``."""
    if not isinstance(value, dict):
        raise ValueError("an object")  # noqa: TRY004  # one error for every wrong value
    return value


def packed(most: int) -> Check[bytes]:
    """A check of bytes written in base64url without padding, in the one way they can be."""

    def check(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) > (most * 4 + 2) // 3:
            raise ValueError(f"base64url of at most {most} bytes")
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except ValueError as error:
            raise ValueError("base64url") from error
        if unpadded(raw) != value:
            raise ValueError("base64url, written in the one way")
        return raw

    return check


def unpadded(raw: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
