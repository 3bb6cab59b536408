# SPDX-License-Identifier: Apache-2.0
"""The ways to other hubs, over the network: ``Abroad``."""

import hashlib
import ipaddress
import re
import secrets
import shutil
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from federation.errors import Alarm, RefusedError, TransportError
from federation.identity.client import follow
from federation.identity.pairing import Pairing
from federation.identity.values import HubFile
from federation.keys import PublicKey
from federation.operations.payloads import VERSION
from federation.ports import Wire
from federation.transport.addresses import Allowance, Base
from federation.transport.http import HttpWire, public_tls
from federation.transport.signatures import Signing
from federation.transport.sockets import Budget
from hub.adapters.identities import BASE, Identity
from hub.adapters.mirrors import mirror, mirrored
from hub.adapters.nonces import RedisNonces
from hub.adapters.rotations import begin_log, change_op_key
from hub.ports.exchange import Enrolled, Voice, mirror_of

REFRESH_SECONDS = 6 * 3600
"""A timestamp is good for a day: four times as often somebody may fail to see a new one."""
TUF_SECONDS = 20.0
"""For a file of a partner's identity."""
IDENTITY_SECONDS = 180.0
"""For all of them: a chain of roots may be long, and each of them just in time."""
NOT_FOUND, OK = 404, 200
_FILE = re.compile(r"(?:metadata|targets)/[A-Za-z0-9._-]{1,200}", re.ASCII)


class NetworkAbroad:
    """Other hubs, over HTTPS.

    Args:
        data: the folder of the hub's data.
        public_url: where others find us.
        nonces: which requests came already.
        allowance: which addresses beyond the public network may be asked.
    """

    def __init__(
        self, data: Path, *, public_url: str, nonces: RedisNonces, allowance: Allowance
    ) -> None:
        self.identity_here = Identity(data)
        self.public_url = public_url
        self.nonces: RedisNonces = nonces
        self._allowance = allowance
        self._refreshed = 0
        self._following: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def voice(self) -> Voice | None:
        """By what this hub speaks; None: it was paired with nobody yet."""
        return self.identity_here.voice()

    def known(self) -> HubFile | None:
        """What this hub says of itself; None: nothing yet."""
        return self.identity_here.known()

    def signing(self) -> Signing:
        """Who signs our requests and answers."""
        return self.identity_here.signing()

    def file(self, path: str) -> bytes | None:
        """A file of our own TUF repository; None: there is none."""
        if not _FILE.fullmatch(path):
            return None
        try:
            return (self.identity_here.folder / "tuf" / path).read_bytes()
        except FileNotFoundError:
            return None

    def files(self) -> dict[str, bytes]:
        """All that a newcomer needs of our own TUF repository, by path."""
        folder = self.identity_here.folder / "tuf"
        found = (path for path in sorted(folder.glob("*/*")) if path.is_file())
        named = ((path.relative_to(folder).as_posix(), path) for path in found)
        return {name: path.read_bytes() for name, path in named if _FILE.fullmatch(name)}

    def refresh(self, now: int) -> None:
        """Say that what our repository shows is still meant, if that is due."""
        if self.identity_here.known() is None:
            return
        self.nonces.begin(self.identity_here.made_at())
        if now - self._refreshed >= REFRESH_SECONDS:
            self.identity_here.refresh(now)
            self._refreshed = now

    def outrun(self, now: int) -> None:
        """Show what our repository shows under versions that nobody can have seen."""
        self.identity_here.outrun(now)

    def change_op_key(self, *, size: int, stolen_at: int | None) -> str:
        """Sign operations with another key from now on; returns its id."""
        return change_op_key(
            self.identity_here,
            size=size,
            stolen_at=stolen_at,
            randomness=secrets.token_bytes,
            now=int(time.time()),
        )

    def begin_log(self, *, size: int, root: bytes) -> str:
        """Close our log at a tree that counts, and begin another; returns its name."""
        return begin_log(
            self.identity_here,
            size=size,
            root=root,
            randomness=secrets.token_bytes,
            now=int(time.time()),
        )

    def identity(self, partner: Enrolled) -> HubFile:
        """Ask a partner who it is."""
        pairing = Pairing(partner.hub, _address(partner), partner.root)
        # A partner's folder is for one caller at a time; who is slow holds up nobody else.
        with self._following[partner.hub]:
            return ask(pairing, self.identity_here.folder, self.open_wire(partner))

    def identity_by(self, partner: Enrolled, wire: Wire) -> HubFile:
        """The same, on another way than the network."""
        # Where it is met, if nobody goes there, is of no matter.
        base = partner.base or f"https://{partner.hub}{BASE}"
        pairing = Pairing(partner.hub, base, partner.root)
        with self._following[partner.hub]:
            return ask(pairing, self.identity_here.folder, wire, is_met_there=bool(partner.base))

    def identity_through(self, other: Enrolled, wire: Wire) -> HubFile:
        """Learn who another hub is from a partner that mirrors its repository."""
        # Where it is met itself is not known, and of no matter: nobody goes there.
        unmet = Pairing(other.hub, f"https://{other.hub}{BASE}", other.root)
        with self._following[other.hub]:
            return ask(
                unmet, self.identity_here.folder, wire, under=mirror_of(other.hub),
                is_met_there=False,
            )  # fmt: skip

    def mirrored(self, hub: str, path: str) -> bytes | None:
        """A file of another hub's TUF repository, as it was verified last; None: there is none."""
        return mirrored(self.identity_here.folder / "partners" / hub, path)

    def mirror(self, hub: str) -> dict[str, bytes]:
        """All of them, by path."""
        return mirror(self.identity_here.folder / "partners" / hub)

    def open_wire(self, partner: Enrolled) -> Wire:
        """The way to what a partner tells anybody, and what proves itself: nothing is signed."""
        return open_wire(_address(partner), self._allowance)

    def wire(self, partner: Enrolled, known: HubFile) -> Wire:
        """The way to a partner, whose answers its keys sign."""

        def key(key_id: str) -> PublicKey | None:
            found = known.req_key(key_id)
            return found.public if found is not None else None

        return HttpWire(
            Base.parse(_address(partner)),
            tls=_tls(),
            signing=self.signing(),
            keys=key,
            allowance=self._allowance,
        )


def _address(partner: Enrolled) -> str:
    if not partner.base:
        raise TransportError("nobody asks it: it brings what it says")
    return partner.base


def open_wire(base: str, allowance: Allowance) -> Wire:
    """The way to what a hub tells anybody.

    Raises:
        RefusedError: TRANSPORT: the address is none.
    """
    return HttpWire(Base.parse(base), tls=_tls(), allowance=allowance)


def ask(
    pairing: Pairing, folder: Path, wire: Wire, *, under: str = "", is_met_there: bool = True
) -> HubFile:
    """Ask a hub who it is, from its pairing string on.

    Args:
        pairing: whom to believe.
        folder: of our identity; what is learnt is remembered there.
        wire: the way to it, or to a partner of ours that mirrors its repository.
        under: where the mirror is, under that partner's address; else nothing.
        is_met_there: whether anybody goes to the address of the pairing string.

    Raises:
        TransportError: It did not answer.
        RefusedError: It is not to be believed; what was known still holds.
    """
    budget = Budget(IDENTITY_SECONDS)

    def fetch(path: str, most: int) -> bytes | None:
        seconds = min(TUF_SECONDS, budget.left())
        answer = wire.get(under + path, max_bytes=most, seconds=seconds)
        if answer.status == NOT_FOUND:
            return None
        if answer.status != OK:
            raise TransportError(f"the partner answered {answer.status}")
        return answer.body

    own = folder / "partners" / pairing.hub
    first = own / "metadata" / "root_history" / "1.root.json"
    # Known by another first root until now, it is another hub to us.
    if first.exists() and hashlib.sha256(first.read_bytes()).hexdigest() != pairing.root_sha256:
        shutil.rmtree(own)
    hub = follow(pairing, fetch, own).hub
    if is_met_there and hub.base != pairing.base:
        what = "the hub is elsewhere now: pair with it again to confirm"
        raise RefusedError(Alarm.TRANSPORT, what)
    if hub.min_version > VERSION:
        raise RefusedError(
            Alarm.MALFORMED, "the hub speaks a later version only: upgrade this one"
        )
    return hub


def allowance_of(networks: Iterable[str]) -> Allowance:
    """What an operator allows beyond the public network; loopback by its own network."""
    found = [ipaddress.ip_network(one) for one in networks]
    loopback = any(one.is_loopback for one in found)
    return Allowance(loopback, tuple(one for one in found if not one.is_loopback))


@cache
def _tls() -> ssl.SSLContext:
    return public_tls()
