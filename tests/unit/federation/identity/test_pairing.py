# SPDX-License-Identifier: Apache-2.0
"""A pairing string is read in one writing, and an error says which part is wrong."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from federation.errors import MalformedError
from federation.identity.pairing import Pairing
from tests.simulators.identities import BASE, HUB

ROOT = "0123456789abcdef" * 4
LINE = f"breakwater:{HUB};{BASE};root-sha256={ROOT}"

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HUBS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
PORTS = st.just("") | st.integers(444, 65535).map(":{}".format)
PATHS = st.lists(st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,8}", fullmatch=True), max_size=3)
BASES = st.builds(
    lambda host, port, path: "/".join([f"https://{host}{port}", *path, "fed/v1"]),
    HUBS,
    PORTS,
    PATHS,
)
PAIRINGS = st.builds(Pairing, HUBS, BASES, st.binary(min_size=32, max_size=32).map(bytes.hex))


@given(PAIRINGS)
def test_what_is_written_is_read_as_what_it_was(pairing):
    assert Pairing.parse(str(pairing)) == pairing


@given(PAIRINGS, st.data())
def test_any_other_writing_is_refused_or_means_another_thing(pairing, data):
    line = str(pairing)
    at = data.draw(st.integers(0, len(line) - 1))
    other = line[:at] + data.draw(st.characters()) + line[at + data.draw(st.integers(0, 1)) :]

    with suppress(MalformedError):
        assert str(Pairing.parse(other)) == other


def test_it_is_written_as_people_exchange_it():
    assert str(Pairing(HUB, BASE, ROOT)) == LINE


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "begins with breakwater:"),
        (" " + LINE, "begins with breakwater:"),
        (LINE.replace("breakwater", "Breakwater"), "begins with breakwater:"),
        (LINE + ";", "three parts"),
        (f"breakwater:{HUB};{BASE}", "three parts"),
        (LINE + "\n", "root's hash"),
        (LINE.upper().replace("BREAKWATER", "breakwater"), "third part"),
        (LINE.replace("root-sha256", "root-sha512"), "third part"),
        (LINE.replace("abcdef", "ABCDEF"), "root's hash"),
        (LINE[:-1], "root's hash"),
        (LINE.replace(f":{HUB}", ":hub-a"), "hub's name"),
        (LINE.replace(f":{HUB}", ": " + HUB), "hub's name"),
        (LINE.replace("https://", "http://"), "hub's address"),
    ],
)
def test_an_error_says_which_part_is_wrong(line, said):
    with pytest.raises(MalformedError, match=said):
        Pairing.parse(line)


@pytest.mark.parametrize(
    "base",
    [
        "https://hub-a.example/fed/v1",
        "https://hub-a:8443/fed/v1",
        "https://hub-a.example/breakwater/fed/v1",
        "https://192.0.2.1/fed/v1",
        "http://127.0.0.1:8000/fed/v1",
        "http://localhost:443/fed/v1",
        "http://[::1]/fed/v1",
    ],
)
def test_an_address_that_may_be_asked_is_taken(base):
    assert Pairing(HUB, base, ROOT).base == base


@pytest.mark.parametrize(
    "base",
    [
        "https://hub-a.example/fed/v1/",
        "https://hub-a.example/fed/v1?",
        "https://hub-a.example/fed/v1#",
        "https://hub-a.example/",
        "https:///fed/v1",
        "https://hub-a.example//fed/v1",
        "https://hub-a.example/../fed/v1",
        "https://hub-a.example/./fed/v1",
        "https://hub-a.example/%66ed/fed/v1",
        "https://Hub-A.example/fed/v1",
        "HTTPS://hub-a.example/fed/v1",
        "https://user@hub-a.example/fed/v1",
        "https://hub-a.example:/fed/v1",
        "https://hub-a.example:443/fed/v1",
        "https://hub-a.example:0443/fed/v1",
        "https://hub-a.example:65536/fed/v1",
        "https://hub-a.example\\@127.0.0.1/fed/v1",
        "https://hub-a.example\t/fed/v1",
        "https://hub-a.example./fed/v1",
        "https://hüb.example/fed/v1",
        "http://hub-a.example/fed/v1",
        "http://127.0.0.1.example/fed/v1",
        "http://localhost.example/fed/v1",
        "http://127.0.0.2/fed/v1",
        "http://0.0.0.0/fed/v1",
        "http://127.0.0.1:80/fed/v1",
        "http://127.0.0.1@hub-a.example/fed/v1",
        "ftp://127.0.0.1/fed/v1",
        "https://" + "a" * 60 + ".example/" + "a" * 512 + "/fed/v1",
    ],
)
def test_an_address_that_could_lead_elsewhere_is_refused(base):
    with pytest.raises(MalformedError, match="hub's address"):
        Pairing(HUB, base, ROOT)
