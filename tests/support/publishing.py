# SPDX-License-Identifier: Apache-2.0
"""A log's files in a folder, and that folder behind HTTP on this machine."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

from federation.log.bundles import bundled
from federation.log.merkle import leaf_hash
from federation.log.tiles import ENTRIES, Tile, hash_above, tiles_of


def publish(folder, entries, note):
    """Write all files of a log."""
    tiles: dict[Tile, bytes] = {}
    for tile in tiles_of(len(entries)):
        tiles[tile] = _data(tile, entries, tiles)
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiles[tile])
    (folder / "checkpoint").write_bytes(note.encoded())


def _data(tile, entries, tiles):
    if tile.level > 0:
        return b"".join(hash_above(tiles[Tile(tile.level - 1, at)]) for _, at in tile.nodes)
    held = [entries[at] for _, at in tile.nodes]
    return bundled(held) if tile.level == ENTRIES else b"".join(map(leaf_hash, held))


@contextmanager
def served(folder):
    """Serve a folder's files; gives the address, without a slash at its end."""

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *words, **named):
            super().__init__(*words, directory=str(folder), **named)

        def log_message(self, *words):
            """Keep silent."""

    with listening(Files) as url:
        yield url


@contextmanager
def answering(answer):
    """Answer each POST by a function from its path and body to status, kind and body."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, kind, said = answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *words):
            """Keep silent."""

    with listening(Answers) as url:
        yield url


@contextmanager
def listening(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
