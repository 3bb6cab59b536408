# SPDX-License-Identifier: Apache-2.0
"""Where a Redis is: one server, what Sentinel says is the master, or a cluster.

- ``redis://[user:password@]host[:port][/db]``, ``rediss://`` by TLS, ``unix://[…@]/path?db=n``
- ``redis+sentinel://[user:password@]host[:port],…/service[/db]``, ``rediss+sentinel://``
- ``redis+cluster://[user:password@]host[:port],…``, ``rediss+cluster://``

What stands before ``?`` may be percent-encoded; after it, only what `_OPTIONS` lists may stand.
User and password are those of the Redis; a Sentinel's own are ``sentinel_username`` and
``sentinel_password``. An error never repeats the address, since a password may stand in it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, unquote

from matching.errors import MalformedAddressError

REDIS_PORT, SENTINEL_PORT, LAST_PORT = 6379, 26379, 65_535
Host = tuple[str, int]
Options = Mapping[str, str | int | bool]


class Kind(StrEnum):
    """How a Redis is run."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class RedisAddress:
    """An address, taken apart.

    Attributes:
        kind: how the Redis is run.
        hosts: the server, the Sentinels, or some nodes of the cluster; none for a unix socket.
        path: of a unix socket, else empty.
        service: the name by which the Sentinels know the master, else empty.
        options: database, credentials and TLS, as redis-py's connections name them.
        sentinel_options: the same for connections to the Sentinels.
    """

    kind: Kind
    hosts: tuple[Host, ...] = ()
    path: str = ""
    service: str = ""
    options: Options = field(default_factory=dict, repr=False)
    sentinel_options: Options = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> "RedisAddress":
        """Take an address apart.

        Raises:
            MalformedAddressError: It is none; the sentence says what may stand there.
        """
        scheme, found, rest = text.partition("://")
        if not found or scheme not in _SCHEMES:
            schemes = ", ".join(f"{name}://" for name in _SCHEMES)
            raise MalformedAddressError(f"must begin with one of {schemes}.")
        if "#" in rest:
            raise MalformedAddressError("has a #: write %23 for one in a password.")
        place, _, query = rest.partition("?")
        return _SCHEMES[scheme](place, _asked(query), tls=scheme.startswith("rediss"))


def _server(place: str, asked: dict[str, str], *, tls: bool) -> RedisAddress:
    credentials, hosts, path = _taken_apart(place, REDIS_PORT)
    if len(hosts) > 1:
        raise MalformedAddressError(
            "names several servers: begin it with redis+sentinel:// or redis+cluster://."
        )
    options = {**credentials, **_tls(asked, on=tls), **_database(path, asked)}
    _refuse(asked)
    return RedisAddress(Kind.SERVER, hosts, options=options)


def _socket(place: str, asked: dict[str, str], *, tls: bool) -> RedisAddress:
    said, found, path = place.rpartition("@")
    if not path.startswith("/"):
        raise MalformedAddressError(
            "must give the whole path of a socket: unix:///run/redis.sock."
        )
    secured, database = _tls(asked, on=tls), _database("", asked)
    options = {**(_credentials(said) if found else {}), **secured, **database}
    _refuse(asked)
    return RedisAddress(Kind.SERVER, path=unquote(path), options=options)


def _sentinel(place: str, asked: dict[str, str], *, tls: bool) -> RedisAddress:
    credentials, hosts, path = _taken_apart(place, SENTINEL_PORT)
    service, _, database = path.partition("/")
    if not service:
        raise MalformedAddressError(
            "must name the service after the Sentinels: redis+sentinel://host:26379/mymaster."
        )
    own = {name: asked.pop(f"sentinel_{name}", "") for name in ("username", "password")}
    secured = _tls(asked, on=tls)
    options = {**credentials, **secured, **_database(database, asked)}
    _refuse(asked)
    return RedisAddress(
        Kind.SENTINEL,
        hosts,
        service=unquote(service),
        options=options,
        sentinel_options={**{name: word for name, word in own.items() if word}, **secured},
    )


def _cluster(place: str, asked: dict[str, str], *, tls: bool) -> RedisAddress:
    credentials, hosts, path = _taken_apart(place, REDIS_PORT)
    options = {**credentials, **_tls(asked, on=tls)}
    if _database(path, asked).get("db"):
        raise MalformedAddressError("names a database, but a cluster has only number 0.")
    _refuse(asked)
    return RedisAddress(Kind.CLUSTER, hosts, options=options)


def _taken_apart(place: str, port: int) -> tuple[dict[str, str], tuple[Host, ...], str]:
    """Credentials, hosts, and the path without its first slash."""
    said, found, rest = place.rpartition("@")
    given, _, path = rest.partition("/")
    hosts = tuple(_host(one, port) for one in given.split(","))
    return _credentials(said) if found else {}, hosts, path


def _credentials(said: str) -> dict[str, str]:
    user, _, password = said.partition(":")
    named = {"username": unquote(user), "password": unquote(password)}
    return {name: word for name, word in named.items() if word}


def _host(text: str, port: int) -> Host:
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:/@\s]+))(?::([0-9]{1,5}))?", text)
    number = int(found[3] or port) if found else 0
    if found is None or not 0 < number <= LAST_PORT:
        raise MalformedAddressError(
            "must name hosts as HOST or HOST:PORT, IPv6 in brackets; percent-encode a ? or # in "
            "a password."
        )
    return found[1] or found[2], number


def _database(path: str, asked: dict[str, str]) -> dict[str, int]:
    text = path.strip("/") or "0"
    text = asked.pop("db", text)
    if not text.isascii() or not text.isdigit():
        raise MalformedAddressError("must give the database as a number.")
    return {"db": int(text)} if int(text) else {}


def _tls(asked: dict[str, str], *, on: bool) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {"ssl": True} if on else {}
    for name in [name for name in asked if name in _OPTIONS]:
        if not on:
            raise MalformedAddressError(f"gives {name}, but not TLS: begin it with rediss.")
        try:
            found[name] = _OPTIONS[name](asked.pop(name))
        except KeyError:
            raise MalformedAddressError(f"gives {name} a value that it cannot have.") from None
    return found


def _asked(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _refuse(asked: Mapping[str, str]) -> None:
    # Names are not repeated either: an unescaped ? in a password makes a name of its rest.
    if asked:
        raise MalformedAddressError(
            f"asks for what it may not: after the ? may stand db, {', '.join(_OPTIONS)}, and for "
            "Sentinels sentinel_username and sentinel_password; percent-encode a ? in a password."
        )


_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CHECKED = {"required": "required", "optional": "optional", "none": "none"}
_OPTIONS: Mapping[str, Callable[[str], str | bool]] = {
    "ssl_ca_certs": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_cert_reqs": lambda word: _CHECKED[word.lower()],
    "ssl_check_hostname": lambda word: _YES_OR_NO[word.lower()],
}
_SCHEMES: Mapping[str, Callable[..., RedisAddress]] = {
    "redis": _server,
    "rediss": _server,
    "unix": _socket,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "redis+cluster": _cluster,
    "rediss+cluster": _cluster,
}
