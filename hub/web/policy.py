# SPDX-License-Identifier: Apache-2.0
"""What each route allows, method by method; a route that does not say so is never served.

``@policy`` writes it on the view, ``policies`` collects it when the application is made, and the
gate asks nothing else. So there is one place where access is decided, and none to forget it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask

PUBLIC = "public"
"""Anybody, without a key."""
ANY_KEY = "any key"
"""Whoever holds a valid key, whatever its scopes."""

PARTNER = "partner"
"""A partner hub, whose request is signed."""

JSON = "application/json"
MIB = 1024 * 1024

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """What a route demands.

    ``accepts`` are the media types of its body; none: it takes no body. ``problems`` are the
    statuses it can answer beyond those that follow from the rest. ``asks``: it only reads, though
    it is no GET.
    """

    scope: str
    accepts: tuple[str, ...] = ()
    max_bytes: int = MIB
    asks: bool = False
    problems: tuple[int, ...] = ()


class NoPolicyError(Exception):
    """A route is not fit to be served."""


def policy(
    scope: str,
    *,
    accepts: tuple[str, ...] = (),
    max_bytes: int = MIB,
    asks: bool = False,
    problems: tuple[int, ...] = (),
) -> Callable[[View], View]:
    """Declare what a view demands; see ``Policy``."""
    declared = Policy(scope, accepts, max_bytes, asks, problems)

    def declare(view: View) -> View:
        note(view, policy=declared)
        return view

    return declare


def note(view: Callable[..., Any], **notes: Any) -> None:
    """Write on a view what documentation and registry read; decorators above carry it along."""
    view.__dict__["_apidoc"] = {**view.__dict__.get("_apidoc", {}), **notes}


def policies(app: Flask) -> Mapping[tuple[str, str], Policy]:
    """The policy of every (endpoint, method).

    Raises:
        NoPolicyError: A route has none, or one that does not fit its method.
    """
    found = {}
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for method in methods:
            found[rule.endpoint, method] = _policy_of(app, rule.endpoint, method, methods)
        if "HEAD" in (rule.methods or ()):
            found[rule.endpoint, "HEAD"] = found[rule.endpoint, "GET"]
    return found


def _policy_of(app: Flask, endpoint: str, method: str, methods: set[str]) -> Policy:
    view: Any = app.view_functions[endpoint]
    if hasattr(view, "view_class"):
        view = getattr(view.view_class, method.lower())
    elif len(methods) != 1:
        raise NoPolicyError(f"{endpoint} serves several methods; give each a view of its own.")
    notes = view.__dict__.get("_apidoc", {})
    declared: Policy | None = notes.get("policy")
    if declared is None:
        raise NoPolicyError(f"{method} {endpoint} has no policy.")
    writes = notes.get("writes", False)
    if writes != (method not in {"GET", "HEAD"} and not declared.asks):
        raise NoPolicyError(f"{method} {endpoint}: a view either writes, or is a GET, or asks.")
    return declared
