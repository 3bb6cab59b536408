# SPDX-License-Identifier: Apache-2.0
"""Hubs that are paired at their consoles, and share sets two by two; with a member at each."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.calls import Line
from bench.hubs import LIMITS
from bench.stage import Stage
from hub.demo.paired import (
    HEARD,
    SET_NAME,
    THREE,
    TLP,
    Cast,
    Paired,
    admit,
    introduced,
    pair,
    running_hubs,
)

A, B, C = THREE
"""Who runs which hub."""
PATIENCE = 60.0
"""Seconds within which two hubs that were just paired follow each other."""
LOOK = 0.05


def _as_it_is(_port: int) -> Mapping[str, str]:
    return {}


@contextmanager
def two_hubs(
    stage: Stage, name: str, *, more: Callable[[int], Mapping[str, str]] = _as_it_is
) -> Iterator[tuple[Paired, Paired, str]]:
    """Two hubs that follow each other and share one set; and that set's id.

    Args:
        stage: of this run.
        name: of the folder for both.
        more: further settings of a hub, by the port that it listens on.
    """
    with hubs(stage.folder / name, (A, B), more=more) as (a, b):
        pair((a, b))
        into = new_set(a, SET_NAME)
        tell_of(a, b, into)
        tell_of(b, a, into, name=SET_NAME)
        for hub in (a, b):
            admit(hub, into)
        time.sleep(HEARD)
        await_following(a, b)
        yield a, b, into


@contextmanager
def hubs(
    folder: Path,
    casts: Sequence[Cast],
    *,
    more: Callable[[int], Mapping[str, str]] = _as_it_is,
) -> Iterator[list[Paired]]:
    """Hubs that know nobody yet, each in a process group of its own."""
    folder.mkdir()
    # Kernels that a measure before this one has compiled are there.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder.parent / "numba"))
    with running_hubs(folder, casts, more=lambda port: {**LIMITS, **more(port)}) as running:
        yield running


def pair_also(known: Paired, new: Paired) -> None:
    """Pair a hub that has no name yet with one that has."""
    new.line = new.type("partners", "pair", known.line, *introduced(new))["line"]
    known.type("partners", "pair", new.line)


def new_set(hub: Paired, name: str) -> str:
    """Make a set; returns its id."""
    made: str = hub.type("sets", "add", name, "--tlp", TLP)["id"]
    return made


def tell_of(hub: Paired, partner: Paired, into: str, *, name: str = "") -> None:
    """Share a set with a partner; *name*: what to call it, if it is the partner's."""
    named = ("--name", name, "--tlp", TLP) if name else ()
    hub.type("partners", "share", partner.name, into, *named)


def await_following(*both: Paired) -> None:
    """Wait until each follows the other, and has heard of what they share.

    Raises:
        TimeoutError: They do not.
    """
    deadline = time.monotonic() + PATIENCE
    while not all(_is_followed(hub) for hub in both):
        if time.monotonic() > deadline:
            raise TimeoutError("hubs that are paired do not follow each other")
        time.sleep(LOOK)


def line(hub: Paired) -> Line:
    """A connection to a hub that speaks for its member."""
    return Line(hub.running.port, hub.key)


def _is_followed(hub: Paired) -> bool:
    known = hub.partners().values()
    return bool(known) and all(
        one["state"] == "active" and one["alive_seconds_ago"] is not None and not one["error"]
        for one in known
    )
