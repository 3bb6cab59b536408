# SPDX-License-Identifier: Apache-2.0
"""A partner on a loopback socket that answers as it is told, byte for byte, or does not."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Script = Callable[["Connection"], None]


class Connection:
    """One request's connection.

    Attributes:
        head: the lines of the request, as they came.
        body: what came after them.
    """

    def __init__(self, found: socket.socket) -> None:
        self.socket = found
        self.head, self.body = b"", b""

    def read_request(self) -> None:
        came = b""
        while b"\r\n\r\n" not in came:
            more = self.socket.recv(65536)
            if not more:
                return
            came += more
        self.head, _, self.body = came.partition(b"\r\n\r\n")
        while len(self.body) < int(self.header("content-length") or 0):
            self.body += self.socket.recv(65536)

    def header(self, name: str) -> str:
        for line in self.head.decode().split("\r\n")[1:]:
            known, _, value = line.partition(": ")
            if known.lower() == name:
                return value
        return ""

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """All headers of the request."""
        lines = self.head.decode().split("\r\n")[1:]
        return tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hang(self) -> None:
        """Say nothing until the other side has hung up."""
        with suppress(OSError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """End the connection as a crash does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


class Scripted:
    """Listens on a loopback port; each request is answered by the script of the moment.

    Args:
        script: of every connection until another is set.
        tls: with it, the partner speaks TLS.
        reads: whether requests are read before their script runs.
        address: where it listens; IPv6 with two colons.
    """

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        reads: bool = True,
        address: str = "127.0.0.1",
    ) -> None:
        self.script, self.reads = script, reads
        self.requests: list[Connection] = []
        self.connections = 0
        self._tls = tls
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=30)

    def _accept(self) -> None:
        while True:
            try:
                found, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(found,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, found: socket.socket) -> None:
        with suppress(OSError), found:
            if self._tls is not None:
                found = self._tls.wrap_socket(found, server_side=True)
            with found:
                connection = Connection(found)
                if self.reads:
                    connection.read_request()
                    self.requests.append(connection)
                self.script(connection)


def answering(body: bytes = b"honest", *lines: str, status: str = "200 OK") -> Script:
    """A script that answers as HTTP asks."""
    head = "".join(f"{line}\r\n" for line in lines)
    length = f"Content-Length: {len(body)}\r\n"
    return saying(f"HTTP/1.1 {status}\r\n{head}{length}\r\n".encode() + body)


def saying(data: bytes) -> Script:
    """A script that sends some bytes and hangs up."""
    return lambda connection: connection.send(data)
