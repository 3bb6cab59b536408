# SPDX-License-Identifier: Apache-2.0
"""How a partner's base URL is written, and which addresses may be connected to; no I/O.

Whoever chooses a partner's URL or its DNS must not choose what we talk to inside our own network.
A URL is taken in one spelling only, so that no two readers see two hosts in it. What counts in the
end is the address that is connected to: it is looked at after the name is resolved, and then it is
connected to as it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NoReturn

from federation.errors import Alarm, RefusedError, TransportError
from federation.forms.names import LABEL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# ``is_global`` is no rule: Python 3.11 finds NAT64, 6to4 and multicast addresses global, and so
# loopback inside of them. What follows is IANA's registries of special addresses, and more.
# https://www.iana.org/assignments/iana-ipv4-special-registry
DENIED = tuple(
    ip_network(written)
    for written in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier's customers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own services, at an address that looks public
        "169.254.0.0/16",  # link-local; clouds tell secrets there
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        # https://www.iana.org/assignments/iana-ipv6-special-registry
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64: any IPv4 address may be inside
        "64:ff9b:1::/48",  # NAT64 of one's own
        "100::/64",  # discarded
        "100:0:0:1::/64",  # dummy
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address may be inside
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
# All that was ever given out for one receiver: RFC 4291 and IANA; the rest may come to mean
# something else.
UNICAST = ip_network("2000::/3")

_PORTS = {"https": 443, "http": 80}
_MAX_PORT = 65535
_PATH_CHARACTERS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_BASE = re.compile(
    rf"(?P<scheme>https?)://(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>{LABEL}(?:\.{LABEL})*))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<prefix>(?:/[A-Za-z0-9._~-]+)*)/?",
    re.ASCII,
)
_PATH = re.compile(
    rf"(?P<path>(?:/{_PATH_CHARACTERS}*)+)(?:\?(?:{_PATH_CHARACTERS}|[/?])*)?", re.ASCII
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_DOTS = re.compile(r"(?:\.|%2[Ee]){1,2}")
_MAX_NAME = 253


@dataclass(frozen=True)
class Allowance:
    """What an operator allows beyond the public network.

    Args:
        loopback: hubs on this machine, also without TLS: for demonstrations and tests.
        networks: further networks, for hubs that share a private one; with TLS.
    """

    loopback: bool = False
    networks: tuple[Network, ...] = ()

    def admits(self, address: Address) -> bool:
        """Whether an address may be connected to."""
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        if self.loopback and address.is_loopback:
            return True
        return _is_public(address) or any(address in network for network in self.networks)


@dataclass(frozen=True)
class Base:
    """Where a partner is: what its paths come after.

    Attributes:
        scheme: ``https``, or ``http`` to a hub on this machine.
        host: a name in lower case, or an address without brackets.
        port: where it listens.
        prefix: a path without a slash at its end; often empty.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> "Base":
        """Read a base URL, which must be written in the one way.

        Raises:
            RefusedError: TRANSPORT: it is none, or is written in another.
        """
        found = _BASE.fullmatch(url)
        if found is None:
            _refuse("a base URL is https://name, maybe a port and a path, in lower case")
        scheme, prefix = found["scheme"], found["prefix"]
        port = int(found["port"] or _PORTS[scheme])
        if port > _MAX_PORT or _has_dots(prefix):
            _refuse("a base URL has a port that is none, or a path that leads elsewhere")
        host = _checked_name(found["name"]) if found["name"] else _checked_six(found["six"])
        return cls(scheme, host, port, prefix)

    @property
    def authority(self) -> str:
        """Host and port as a request names them; a port that goes without saying is not said."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether what is said there is said over TLS."""
        return self.scheme == "https"

    def target(self, path: str) -> str:
        """A path under the base as a request line has it.

        Args:
            path: with its query; begins with a slash.

        Raises:
            RefusedError: TRANSPORT: it is none, or leads elsewhere.
        """
        found = _PATH.fullmatch(path)
        if found is None or _has_dots(found["path"]):
            _refuse("a path has characters that must be escaped, or leads elsewhere")
        return self.prefix + path

    def url(self, path: str) -> str:
        """The whole URL of a path; raises as ``target`` does."""
        return f"{self.scheme}://{self.authority}{self.target(path)}"


def admitted(found: Iterable[str], base: Base, allowance: Allowance) -> tuple[Address, ...]:
    """The addresses a partner's name stands for, each of which may be connected to.

    One that may not is enough to refuse them all: nobody honest answers with such a mixture.

    Args:
        found: as they were resolved.
        base: whose they are.
        allowance: what the operator allows.

    Raises:
        TransportError: There are none.
        RefusedError: TRANSPORT: one of them must not be connected to, or not without TLS.
    """
    addresses = tuple(dict.fromkeys(map(_address, found)))
    if not addresses:
        raise TransportError("the partner's name stands for no address")
    if not all(map(allowance.admits, addresses)):
        _refuse("the partner's name stands for an address that must not be connected to")
    if not base.is_secure and not all(address.is_loopback for address in addresses):
        _refuse("only a hub on this machine may be asked without TLS")
    return addresses


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return not any(address in network for network in DENIED)


def _address(written: str) -> Address:
    try:
        return ip_address(written)
    except ValueError:
        _refuse("what a name was resolved to is no address")


def _checked_name(name: str) -> str:
    """A name, or an IPv4 address in its four decimal parts: 127.1 and 0x7f.1 are neither."""
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            IPv4Address(name)
        except ValueError:
            _refuse("the host of a base URL is a number, but no address in four parts")
    if len(name) > _MAX_NAME:
        _refuse("the host of a base URL is too long")
    return name


def _checked_six(written: str) -> str:
    try:
        address = IPv6Address(written)
    except ValueError:
        _refuse("the host of a base URL is no address")
    if str(address) != written:
        _refuse("the host of a base URL is an address that is not written in the one way")
    return written


def _has_dots(path: str) -> bool:
    return any(_DOTS.fullmatch(part) for part in path.split("/"))


def _refuse(what: str) -> NoReturn:
    raise RefusedError(Alarm.TRANSPORT, what) from None
