# SPDX-License-Identifier: Apache-2.0
"""Whatever value stands wherever in what a partner says, it is believed or refused: nothing fails.

What a partner signs is its own, so its signatures are right, however odd the rest is.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from federation.errors import FederationError
from federation.identity.hubfile import read_hub_file
from federation.operations.payloads import read_operation, write
from federation.returned import Returned, own
from federation.trust import Trust, accept
from tests.hostile.contract import NOW, OPERATORS
from tests.hostile.peer import (
    LOG_ORIGIN,
    Peer,
    disagreed,
    hub_file,
    op_key,
    said,
    target,
    written_file,
)
from tests.hostile.third import introduced, manifest
from tests.simulators.partner import KEY, trusted

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 7, 2**53, 2**64 - 1, 1.5, "", "a", "\x00", "\u00e9", "=", "AA==", "A" * 300,
    [], [None], [[]], {}, {"": None}, {"\u00e9": 1},
)  # fmt: skip
DEEP = (b"[" * 260 + b"]" * 260, b'{"a":' * 900 + b"1" + b"}" * 900)
"""What orjson reads and does not write, and what it hardly reads."""
PLACE = "here it stands"


def places(value: Any) -> Iterator[Any]:
    """A value as often as it has places, each time with a mark in another one."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from ({**value, name: other} for other in places(one))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in places(one))
    yield PLACE


def told_oddly(data: bytes) -> Iterator[bytes]:
    """Canonical bytes in which something odd stands, everywhere in turn."""
    odd = [orjson.dumps(one) for one in ODD]
    for one in places(json.loads(data)):
        marked = orjson.dumps(one, option=orjson.OPT_SORT_KEYS)
        for each in (*odd, *DEEP):
            yield marked.replace(b'"%b"' % PLACE.encode(), each)


def peer() -> Peer:
    """A peer that says something of its own, and what a set is."""
    found = Peer()
    found.say(said(1), disagreed(2, target(1)))
    introduced(found)
    return found


PARTNER = trusted(origin=LOG_ORIGIN, op_keys={KEY: op_key()}, operators=frozenset(OPERATORS))


def page(data: bytes) -> None:
    """Read it as a page of the peer's."""
    accept(data, PARTNER, Trust(), NOW)


def given_back(data: bytes) -> None:
    """Read it as what a partner gives back."""
    own(Returned.parse(data), hub_file())


def returned() -> bytes:
    """What a partner gives back to the peer."""
    log = peer().log
    held = [(one.index, one.envelope or {}) for one in log.records]
    return Returned(held, 9, log.note()).encoded()


@pytest.mark.parametrize(
    ("data", "read"),
    [
        pytest.param(peer().log.page().encoded(), page, id="page"),
        pytest.param(returned(), given_back, id="yours"),
        pytest.param(written_file(), read_hub_file, id="hub.json"),
        pytest.param(write(said(1)).payload, read_operation, id="assert"),
        pytest.param(write(disagreed(2, target(1))).payload, read_operation, id="opinion"),
        pytest.param(write(manifest("0" * 64, "1" * 64)).payload, read_operation, id="set"),
    ],
)
def test_whatever_stands_somewhere_is_believed_or_refused(data, read):
    refused = 0
    for odd in told_oddly(data):
        try:
            read(odd)
        except FederationError:
            refused += 1
    assert refused > 100
