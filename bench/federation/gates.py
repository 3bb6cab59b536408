# SPDX-License-Identifier: Apache-2.0
"""A gate before a hub, by which partners reach it: closed, it is as if the network were cut."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

AT_ONCE = 262_144


class Gate:
    """Carries connections to a port of this machine, while it is open.

    Args:
        port: of the hub.
    """

    def __init__(self, port: int) -> None:
        self._behind = port
        self._is_open = True
        self._carried: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close()

    def close(self) -> None:
        """Cut what is carried, and carry nothing more."""
        with self._lock:
            self._is_open = False
            for one in self._carried:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Carry again."""
        with self._lock:
            self._is_open = True

    def _listen(self) -> None:
        while True:
            try:
                front, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(front,), daemon=True).start()

    def _carry(self, front: socket.socket) -> None:
        with front, suppress(OSError), socket.create_connection(("127.0.0.1", self._behind)) as to:
            with self._lock:
                if not self._is_open:
                    return
                self._carried |= {front, to}
            back = threading.Thread(target=_pump, args=(to, front), daemon=True)
            back.start()
            _pump(front, to)
            back.join()
            with self._lock:
                self._carried -= {front, to}


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way, until either side has hung up."""
    with suppress(OSError):
        while data := source.recv(AT_ONCE):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
        return
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
