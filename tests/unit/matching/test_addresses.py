# SPDX-License-Identifier: Apache-2.0
"""One server, Sentinels or a cluster are chosen by the address; an error never repeats it."""

import pytest

from hub.settings import Settings, SettingsError
from matching.errors import MalformedAddressError
from matching.stores.addresses import Kind, RedisAddress

TLS = {"ssl": True}


@pytest.mark.parametrize(
    ("text", "hosts", "options"),
    [
        ("redis://redis.example.com", (("redis.example.com", 6379),), {}),
        ("redis://10.0.0.1:7000/", (("10.0.0.1", 7000),), {}),
        ("redis://[::1]:7000/3", (("::1", 7000),), {"db": 3}),
        ("redis://h?db=4", (("h", 6379),), {"db": 4}),
        ("redis://:hush@h/0", (("h", 6379),), {"password": "hush"}),
        ("redis://me:a%2Fb%40c@h", (("h", 6379),), {"username": "me", "password": "a/b@c"}),
        ("redis://:a/b@c@h", (("h", 6379),), {"password": "a/b@c"}),
        ("rediss://h", (("h", 6379),), TLS),
        (
            "rediss://h/1?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=no&ssl_cert_reqs=Required",
            (("h", 6379),),
            {
                **TLS,
                "db": 1,
                "ssl_ca_certs": "/etc/ca.pem",
                "ssl_check_hostname": False,
                "ssl_cert_reqs": "required",
            },
        ),
    ],
)
def test_one_server(text, hosts, options):
    found = RedisAddress.parse(text)

    assert (found.kind, found.hosts, dict(found.options)) == (Kind.SERVER, hosts, options)


def test_a_unix_socket():
    found = RedisAddress.parse("unix://me:hush@/run/a%20b.sock?db=2")

    assert (found.kind, found.hosts, found.path) == (Kind.SERVER, (), "/run/a b.sock")
    assert dict(found.options) == {"username": "me", "password": "hush", "db": 2}


def test_sentinels_and_the_service_that_they_watch():
    found = RedisAddress.parse(
        "rediss+sentinel://:hush@s1,s2:7,[::1]/lures/5?sentinel_password=quiet&sentinel_username=u"
    )

    assert (found.kind, found.service) == (Kind.SENTINEL, "lures")
    assert found.hosts == (("s1", 26379), ("s2", 7), ("::1", 26379))
    assert dict(found.options) == {"password": "hush", "db": 5, **TLS}
    assert dict(found.sentinel_options) == {"username": "u", "password": "quiet", **TLS}


@pytest.mark.parametrize("end", ["", "/", "/0", "?db=0"])
def test_a_cluster(end):
    found = RedisAddress.parse(f"redis+cluster://me:hush@n1:1,n2{end}")

    assert (found.kind, found.hosts) == (Kind.CLUSTER, (("n1", 1), ("n2", 6379)))
    assert dict(found.options) == {"username": "me", "password": "hush"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("localhost:6379", "begin"),
        ("redis:/h", "begin"),
        ("http://h", "begin"),
        ("sentinel://h/lures", "begin"),
        ("redis://", "HOST"),
        ("redis://:hush@", "HOST"),
        ("redis://h:0", "HOST"),
        ("redis://h:65536", "HOST"),
        ("redis://h:٣", "HOST"),
        ("redis://::1", "HOST"),
        ("redis+cluster://a,,b", "HOST"),
        ("redis://:hu#sh@h", "%23"),
        ("redis://:hu?sh@h", "percent-encode"),
        ("redis://h1,h2", "several"),
        ("redis://h/hush", "number"),
        ("redis://h?db=hush", "number"),
        ("redis+sentinel://h", "service"),
        ("redis+sentinel://h/", "service"),
        ("redis+sentinel://h/lures/hush", "number"),
        ("redis+cluster://h/1", "number 0"),
        ("redis+cluster://h?db=1", "number 0"),
        ("unix://run/redis.sock", "whole path"),
        ("redis://h?socket_timeout=60", "after the \\?"),
        ("redis://h?hush=1", "after the \\?"),
        ("redis://h?sentinel_password=hush", "after the \\?"),
        ("redis://h?ssl_ca_certs=/hush", "rediss"),
        ("rediss://h?ssl_check_hostname=hush", "ssl_check_hostname"),
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text, word):
    with pytest.raises(MalformedAddressError, match=word) as caught:
        RedisAddress.parse(text)

    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(SettingsError, match=r"^REDIS_URL ") as refused:
        Settings.read({"REDIS_URL": text})
    assert "hush" not in str(refused.value)


def test_an_address_shows_no_password():
    text = "redis+sentinel://me:hush@h/lures?sentinel_password=quiet"

    shown = repr(RedisAddress.parse(text))

    assert "hush" not in shown
    assert "quiet" not in shown
