# SPDX-License-Identifier: Apache-2.0
"""The doors of a hub in a namespace: TLS for its partners, and a way in for whoever tests it.

    python -m tests.namespaces.door LISTENER PORT ADDRESS TLS_PORT CERTIFICATE

LISTENER is the number of an open socket that listens on the machine's own loopback. It was opened
outside, and belongs there, while what is asked of it is passed on to PORT in here. The doors are
shut when nobody holds the other end of the standard input any more.
"""

import asyncio
import socket
import ssl
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

CHUNK = 65_536


async def main() -> None:
    """Pass on what comes in by either door until the input ends."""
    listener, port, address, tls_port, certificate = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            inside, answer = await asyncio.open_connection("127.0.0.1", int(port))
            await _both(_pass_on(reader, answer), _pass_on(inside, writer))
            await _close(answer)
        await _close(writer)

    await asyncio.start_server(enter, sock=socket.socket(fileno=int(listener)))
    await asyncio.start_server(enter, address, int(tls_port), ssl=context)
    sys.stdout.write("open\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def _both(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one way ends: then the other is of no use to anybody."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    _, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for one in others:
        one.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
