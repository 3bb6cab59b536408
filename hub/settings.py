# SPDX-License-Identifier: Apache-2.0
"""Everything an operator can set: one frozen dataclass, read once from the environment."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from matching.errors import MalformedAddressError
from matching.stores.addresses import RedisAddress

LOG_LEVELS = ("debug", "info", "warning", "error")
# Two a core, because connections spread unevenly over processes: on two cores four answer a fourth
# more lookups than two. No more than eight, because each holds the index in memory.
WORKERS = min(8, 2 * (os.cpu_count() or 1))
MOST_WORKERS = 64
HITS = "hits"
"""The folder, in that of the data, of hits that wait to be settled."""
INDEX = "index"
"""The folder, in that of the data, of segments that all processes here share."""
MOST_THREADS = 256
MOST_MEMORY = 1 << 24
"""Megabytes: 16 TB."""
MOST_REQUESTS = 1_000_000
MOST_HITS = 1_000_000_000
LAST_PORT = 65_535


class SettingsError(ValueError):
    """A setting that cannot be used; the sentence names it and says what may stand there."""


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Settings:
    """The settings of one hub, each with its environment variable and default."""

    data: Path
    """BREAKWATER_DATA: the folder of keys, database and private Valkey; ``./data``."""
    listen: Address
    """BREAKWATER_LISTEN: host and port of the API; ``127.0.0.1:8080``."""
    database_url: str = field(repr=False)
    """BREAKWATER_DATABASE_URL: an SQLAlchemy address; ``hub.db`` in the data folder."""
    public_url: str
    """BREAKWATER_PUBLIC_URL: how others reach us; ``http://`` and the address listened on."""
    redis_url: str | None = field(default=None, repr=False)
    """REDIS_URL: a Redis 7.0 or Valkey of your own, ``redis://``, ``redis+sentinel://`` or
    ``redis+cluster://``; without it ``up`` starts a private one."""
    redis_binary: Path | None = None
    """BREAKWATER_REDIS_BINARY: the server that ``up`` starts instead of the bundled one."""
    workers: int = WORKERS
    """BREAKWATER_WORKERS: processes that answer requests; two a core, no more than eight."""
    threads: int = 8
    """BREAKWATER_THREADS: requests that one such process answers at the same time; 8."""
    requests_per_second: int = 1000
    """BREAKWATER_REQUESTS_PER_SECOND: what an operator may ask of one such process; 1000."""
    hits_a_day: int = 200_000
    """BREAKWATER_HITS_A_DAY: hits that an operator may be told in a day; 200000."""
    index_memory: int = field(default_factory=lambda: _half_of_memory() >> 20)
    """BREAKWATER_INDEX_MEMORY: megabytes that the largest segment may take; half of all there is.
    With less, codes take fewer bytes and lookups more time."""
    partner_networks: tuple[str, ...] = ()
    """BREAKWATER_PARTNER_NETWORKS: networks beside the public one in which partners may be, as
    ``10.1.0.0/16``, with a comma between them; ``127.0.0.0/8`` for hubs on this machine."""
    log_level: str = "info"
    """BREAKWATER_LOG_LEVEL: debug, info, warning or error; info."""
    metrics_listen: Address | None = None
    """BREAKWATER_METRICS_LISTEN: host and port of ``/metrics``; off when empty."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from an environment.

        Raises:
            SettingsError: A variable holds what cannot be used.
        """
        given = {name: value.strip() for name, value in environment.items()}
        data = Path(given.get("BREAKWATER_DATA") or "data").absolute()
        listen = _address("BREAKWATER_LISTEN", given.get("BREAKWATER_LISTEN") or "127.0.0.1:8080")
        metrics = given.get("BREAKWATER_METRICS_LISTEN")
        binary = given.get("BREAKWATER_REDIS_BINARY")
        return cls(
            data=data,
            listen=listen,
            database_url=_database(given.get("BREAKWATER_DATABASE_URL"), data),
            public_url=_public(given.get("BREAKWATER_PUBLIC_URL") or f"http://{listen}"),
            redis_url=_redis(given.get("REDIS_URL")),
            redis_binary=Path(binary) if binary else None,
            workers=_count("BREAKWATER_WORKERS", given, cls.workers, MOST_WORKERS),
            threads=_count("BREAKWATER_THREADS", given, cls.threads, MOST_THREADS),
            requests_per_second=_count(
                "BREAKWATER_REQUESTS_PER_SECOND", given, cls.requests_per_second, MOST_REQUESTS
            ),
            hits_a_day=_count("BREAKWATER_HITS_A_DAY", given, cls.hits_a_day, MOST_HITS),
            index_memory=_count(
                "BREAKWATER_INDEX_MEMORY", given, _half_of_memory() >> 20, MOST_MEMORY
            ),
            partner_networks=_networks(given.get("BREAKWATER_PARTNER_NETWORKS") or ""),
            log_level=_level(given.get("BREAKWATER_LOG_LEVEL") or cls.log_level),
            metrics_listen=_address("BREAKWATER_METRICS_LISTEN", metrics) if metrics else None,
        )

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None where the database is a server."""
        kind, separator, path = self.database_url.partition(":///")
        return Path(path) if separator and kind.startswith("sqlite") else None


def _address(name: str, text: str) -> Address:
    given, _, port = text.rpartition(":")
    host = given.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > LAST_PORT:
        raise SettingsError(f"{name} must be HOST:PORT, for example 127.0.0.1:8080.")
    if ":" in host and not (given == f"[{host}]" and _is_ipv6(host)):
        raise SettingsError(f"{name} must give an IPv6 address in brackets: [::1]:8080.")
    return Address(host, int(port))


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _database(url: str | None, data: Path) -> str:
    if not url:
        return f"sqlite:///{data / 'hub.db'}"
    if not url.startswith(("sqlite:///", "postgresql")) or ":memory:" in url:
        # Several processes share the database, so it cannot live in one of them.
        raise SettingsError(
            "BREAKWATER_DATABASE_URL must begin with postgresql:// or sqlite:/// and a file."
        )
    return url


def _redis(url: str | None) -> str | None:
    if not url:
        return None
    try:
        RedisAddress.parse(url)
    except MalformedAddressError as error:
        raise SettingsError(f"REDIS_URL {error}") from None
    return url


def _public(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise SettingsError("BREAKWATER_PUBLIC_URL must be an http or https address.")
    return url.rstrip("/")


def _networks(text: str) -> tuple[str, ...]:
    try:
        found = [ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip()]
    except ValueError:
        raise SettingsError(
            "BREAKWATER_PARTNER_NETWORKS must be networks like 10.1.0.0/16, with a comma between."
        ) from None
    return tuple(map(str, found))


def _count(name: str, given: Mapping[str, str], default: int, most: int) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a whole number from 1 to {most}.")
    return int(text)


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise SettingsError(f"BREAKWATER_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
    return text.lower()


def _half_of_memory() -> int:
    """Half the machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
