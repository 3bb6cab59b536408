# SPDX-License-Identifier: Apache-2.0
"""Connections to addresses that were looked at, and to no others, held to one budget of time.

A timeout on each read is no bound: a peer that sends a byte now and then is never late. So there
is one budget for an exchange, and whatever waits, waits for what is left of it.
"""

import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import httpcore2

from federation.errors import Alarm, RefusedError, TransportError
from federation.transport.addresses import Address, Allowance, Base, admitted

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a name; raises OSError if there is nobody to ask."""

MAX_HEAD = 64 * 1024  # bytes before an answer's body
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_END_BEGINS = 2  # bytes of the end of a head that may have come before
_INFORMATIONAL = re.compile(rb"HTTP/1\.[0-9] 1")


class Budget:
    """Seconds for all of an exchange.

    Args:
        seconds: how many.
        clock: any that only goes forward.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = clock() + seconds

    def left(self) -> float:
        """What is left of it; more than nothing.

        Raises:
            TransportError: Nothing is.
        """
        left = self._until - self._clock()
        if left <= 0:
            _too_late()
        return left


def system_resolve(name: str, port: int) -> Sequence[str]:
    """Ask the system for a name's addresses; an ``OSError`` if it cannot tell."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to one partner, whose name is resolved once and whose addresses are all looked at.

    Args:
        base: the partner; another host is never connected to.
        allowance: what the operator allows.
        resolve: asks for addresses.
        budget: for connecting and for all that is said then.
    """

    def __init__(self, base: Base, allowance: Allowance, resolve: Resolve, budget: Budget) -> None:
        self._base, self._allowance, self._resolve = base, allowance, resolve
        self._budget = budget
        self.incoming = Incoming()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the budget counts
        local_address: str | None = None,  # noqa: ARG002  # nobody chooses one
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002  # nor any of these
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers.

        Raises:
            TransportError: None does, or not in time.
            RefusedError: TRANSPORT: one of them must not be connected to.
        """
        if (host, port) != (self._base.host, self._base.port):
            raise RefusedError(Alarm.TRANSPORT, "nobody but the partner is connected to")
        found = _in_time(lambda: self._resolve(host, port), self._budget)
        return self._connected(admitted(found, self._base, self._allowance))

    def _connected(self, addresses: Sequence[Address]) -> httpcore2.NetworkStream:
        failed: OSError | None = None
        for behind, address in enumerate(addresses):
            # One that does not answer leaves time for those behind it.
            seconds = self._budget.left() / (len(addresses) - behind)
            try:
                # The address that was looked at, not the name: that may mean another by now.
                found = socket.create_connection((str(address), self._base.port), seconds)
            except OSError as error:
                failed = error
            else:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return GuardedStream(found, self._budget, self.incoming)
        raise TransportError("nobody listens at the partner's address") from failed


class Incoming:
    """Looks at what comes in, before anybody reads it.

    Attributes:
        of_body: how many bytes came after the head.
    """

    def __init__(self) -> None:
        self._head: bytearray | None = bytearray()
        self.of_body = 0

    def add(self, data: bytes) -> None:
        """Count some bytes.

        Raises:
            RefusedError: TOO_LARGE: the head is. TRANSPORT: what comes is no answer yet.
        """
        if self._head is None:
            self.of_body += len(data)
            return
        # A peer that sends byte by byte must not have all of it searched each time.
        start = max(len(self._head) - _END_BEGINS, 0)
        self._head += data
        if _INFORMATIONAL.match(self._head):
            # Nobody asked for one, and there could be any number of them.
            raise RefusedError(Alarm.TRANSPORT, "an answer that is none was sent before it")
        end = _END_OF_HEAD.search(self._head, start)
        if (end.end() if end else len(self._head)) > MAX_HEAD:
            raise RefusedError(Alarm.TOO_LARGE, "the head of an answer is too large")
        if end:
            self.of_body = len(self._head) - end.end()
            self._head = None


class GuardedStream(httpcore2.NetworkStream):
    """A connection; each wait is for what is left of the budget."""

    def __init__(self, found: socket.socket, budget: Budget, incoming: Incoming) -> None:
        self._socket, self._budget, self._incoming = found, budget, incoming

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the budget counts
        """Read what is there.

        Raises:
            TransportError: Nothing came in time, or the connection broke.
            RefusedError: see ``Incoming``.
        """
        try:
            self._socket.settimeout(self._budget.left())
            data = self._socket.recv(max_bytes)
        except TimeoutError:
            _too_late()
        except OSError as error:
            raise TransportError("the connection broke") from error
        self._incoming.add(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # the budget counts
        """Write all of it.

        Raises:
            TransportError: It was not taken in time.
            httpcore2.WriteError: The connection broke: maybe there is an answer to read.
        """
        view = memoryview(buffer)
        try:
            while view:
                self._socket.settimeout(self._budget.left())
                view = view[self._socket.send(view) :]
        except TimeoutError:
            _too_late()
        except OSError as error:
            raise httpcore2.WriteError from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # the budget counts
    ) -> httpcore2.NetworkStream:
        """Go on over TLS.

        Raises:
            TransportError: The partner does not speak it, or not in time.
            RefusedError: TRANSPORT: its certificate is none for it.
        """
        try:
            self._socket.settimeout(self._budget.left())
            secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise RefusedError(Alarm.TRANSPORT, "the partner's certificate is false") from error
        except TimeoutError:
            self.close()
            _too_late()
        except OSError as error:
            self.close()
            raise TransportError("the partner does not speak TLS") from error
        return GuardedStream(secured, self._budget, self._incoming)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def _in_time(resolve: Callable[[], Sequence[str]], budget: Budget) -> Sequence[str]:
    """Resolve on a thread that may be left behind: the system's resolver cannot be cut."""
    found: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(resolve())
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = found.get(timeout=budget.left())
    except queue.Empty:
        _too_late()
    if isinstance(answer, Exception):
        raise TransportError("the partner's name cannot be resolved") from answer
    return answer


def _too_late() -> NoReturn:
    raise TransportError("the partner took too long") from None
