# SPDX-License-Identifier: Apache-2.0
"""Nobody who chooses a partner's URL or its DNS can make us talk to our own network."""

import json
import random
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.transport.addresses import Allowance, Base, admitted

PUBLIC = Base("https", "hub.example", 443)
NOTHING, LOOPBACK = Allowance(), Allowance(loopback=True)

VECTORS = json.loads((Path(__file__).parents[3] / "vectors/federation/addresses.json").read_text())
MISLEADING, FORBIDDEN = VECTORS["refused_urls"], VECTORS["refused_addresses"]


def test_the_vectors_are_as_many_as_were_asked_for():
    assert len(set(MISLEADING)) >= 60
    assert len(set(FORBIDDEN)) >= 50


@pytest.mark.parametrize("url", MISLEADING)
def test_a_base_that_can_be_read_in_two_ways_is_refused(url):
    with pytest.raises(RefusedError) as refused:
        Base.parse(url)

    assert refused.value.alarm is Alarm.TRANSPORT


@pytest.mark.parametrize(
    ("url", "base", "authority"),
    [
        ("https://hub.example", Base("https", "hub.example", 443), "hub.example"),
        ("https://hub.example/", Base("https", "hub.example", 443), "hub.example"),
        ("https://hub.example:443", Base("https", "hub.example", 443), "hub.example"),
        ("https://hub-a:8443/fed/v1/", Base("https", "hub-a", 8443, "/fed/v1"), "hub-a:8443"),
        ("https://xn--bcher-kva.example", Base("https", "xn--bcher-kva.example", 443), None),
        ("https://8.8.8.8", Base("https", "8.8.8.8", 443), "8.8.8.8"),
        ("https://[2a00::1]:444", Base("https", "2a00::1", 444), "[2a00::1]:444"),
        ("http://127.0.0.1:5000", Base("http", "127.0.0.1", 5000), "127.0.0.1:5000"),
        ("http://localhost", Base("http", "localhost", 80), "localhost"),
    ],
)
def test_a_base_written_in_the_one_way(url, base, authority):
    assert Base.parse(url) == base
    assert base.authority == (authority or base.host)


def test_no_reader_sees_another_host_in_a_base_that_is_taken():
    chance, taken = random.Random(918), 0  # noqa: S311  # a test that fails must fail again
    pieces = ["https://", "http://", "hub", ".", "example", "127.0.0.1", "1", ":", "443", "8443"]
    pieces += [
        "/",
        "@",
        "#",
        "?",
        "\\",
        "%2e",
        "[",
        "]",
        "::1",
        "0x7f",
        "-",
        "fed",
        "..",
        " ",
        "\n",
    ]
    for _ in range(50_000):
        url = "https://" + "".join(chance.choices(pieces, k=chance.randrange(1, 7)))
        try:
            base = Base.parse(url)
        except RefusedError:
            continue
        taken += 1
        for reader in (urlsplit(url), urlsplit(base.url("/"))):
            assert (reader.hostname, reader.port or 443) == (base.host, base.port), url
        other = httpx2.URL(url)
        assert (other.host, other.port or 443) == (base.host, base.port), url
    assert taken > 500


@pytest.mark.parametrize("path", ["/", "/log/checkpoint", "/ops?from=1&size=2&x=%20/?", "//a"])
def test_a_path_stays_under_its_base(path):
    base = Base.parse("https://hub.example/fed/v1")

    assert base.target(path) == f"/fed/v1{path}"
    assert base.url(path) == f"https://hub.example/fed/v1{path}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "ops",
        "@evil.example/",
        ".evil.example/",
        "/a b",
        "/a\r\nHost: x",
        "/a\n",
        "/ü",
        "/a#b",
        "/%",
        "/%2",
        "/../ops",
        "/a/..",
        "/a/./b",
        "/%2e%2E/ops",
        "/.%2e/ops",
        "/a\\b",
        "?a",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(RefusedError):
        PUBLIC.target(path)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address):
    with pytest.raises(RefusedError) as refused:
        admitted([address], PUBLIC, NOTHING)

    assert refused.value.alarm is Alarm.TRANSPORT


@pytest.mark.parametrize("address", FORBIDDEN)
def test_one_forbidden_address_among_public_ones_is_enough(address):
    with pytest.raises(RefusedError):
        admitted(["8.8.8.8", address], PUBLIC, NOTHING)


@pytest.mark.parametrize("address", VECTORS["admitted_addresses"])
def test_a_public_address_is_admitted(address):
    assert admitted([address, address], PUBLIC, NOTHING) == (ip_address(address),)


def test_what_is_no_address_is_refused():
    with pytest.raises(RefusedError):
        admitted(["hub.example"], PUBLIC, NOTHING)


def test_a_name_without_addresses_may_have_some_later():
    with pytest.raises(TransportError):
        admitted([], PUBLIC, NOTHING)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_is_admitted_where_an_operator_allows_it(address):
    assert admitted([address], Base("http", "localhost", 80), LOOPBACK) == (ip_address(address),)


@pytest.mark.parametrize("address", ["10.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "8.8.8.8"])  # noqa: S104 - nobody listens
def test_without_tls_nothing_but_loopback_is_admitted(address):
    with pytest.raises(RefusedError):
        admitted([address], Base("http", "localhost", 80), LOOPBACK)


def test_a_network_is_admitted_where_an_operator_names_it():
    allowance = Allowance(networks=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))

    assert admitted(["10.1.2.3", "fd00:1::5"], PUBLIC, allowance)
    for other in ("10.2.0.1", "127.0.0.1", "fd00:2::1"):
        with pytest.raises(RefusedError):
            admitted([other], PUBLIC, allowance)


def test_a_named_network_is_not_asked_without_tls():
    allowance = Allowance(networks=(ip_network("10.1.0.0/16"),))

    with pytest.raises(RefusedError):
        admitted(["10.1.2.3"], Base("http", "hub-a", 80), allowance)
