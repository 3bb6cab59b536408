# SPDX-License-Identifier: Apache-2.0
"""Makes ``tests/vectors/federation/tiles.json``: the files of logs, and their paths.

Run from the top of the repository: ``python -m tests.vectors.federation.tiles``. Nothing of
``federation`` is used: what tlog-tiles says is done here once more, plainly.
https://c2sp.org/tlog-tiles
"""

import hashlib
import json
from base64 import b64encode
from pathlib import Path

from tests.support import rfc6962

OUT = Path("tests/vectors/federation/tiles.json")
WIDTH = 256
SIZES = (1, 5, 255, 256, 257, 600, 65_793)
WHOLE = 600
"""Of longer logs not every file is here: only the last ones, and those above level 0."""
SHORT = 640
"""Bytes of a file that stand here as they are; of a longer one its hash does."""
ENTRIES = "entries"
# The level, the index, the width; the last three are the furthest that a log can have.
PLACES = (
    (0, 0, 256),
    (0, 0, 1),
    (ENTRIES, 0, 256),
    (ENTRIES, 0, 255),
    (0, 67, 256),
    (0, 999, 256),
    (0, 1000, 256),
    (1, 1000, 7),
    (0, 1_234_067, 256),
    (ENTRIES, 1_234_067, 44),
    (0, 1_000_000_000, 12),
    (0, 2**55 - 1, 255),
    (ENTRIES, 2**55 - 1, 255),
    (7, 0, 127),
)
REFUSED_PATHS = {
    "tile/0/0": "an index of one digit",
    "tile/0/0000": "an index of four digits",
    "tile/0/001/000": "an x is missing",
    "tile/0/x001/x000": "an x too many",
    "tile/0/x1/000": "a group of one digit",
    "tile/0/x000/000": "a group that says nothing",
    "tile/0/X001/000": "a capital X",
    "tile/0/": "no index",
    "tile/0/000/": "a slash at the end",
    "/tile/0/000": "a slash before it",
    "tile/0//000": "two slashes",
    "tile/00/000": "a level with a zero in front",
    "tile/-1/000": "a level below 0",
    "tile/8/000": "a level that no log reaches",
    "tile/7/000.p/128": "more entries than a log can have",
    "tile/7/000": "the same, of a full tile",
    "tile/0/000.p/0": "no width",
    "tile/0/000.p/01": "a width with a zero in front",
    "tile/0/000.p/+1": "a width with a sign",
    "tile/0/000.p/256": "a full tile, said to be partial",
    "tile/0/000.p/257": "wider than a tile",
    "tile/0/000.p": "a width that is missing",
    "tile/0/000.p/1/": "a slash after the width",
    "tile/data/000": "bundles are under entries",
    "tile/0/\u0660\u0660\u0660": "digits that are not ASCII",
    "tile/0/000\n": "a newline",
}


def entry(number):
    return b"entry %d" % number


def with_length(data):
    return len(data).to_bytes(2, "big") + data


def above(hashes):
    """Of each 256 hashes the one that stands for them."""
    for start in range(0, len(hashes) // WIDTH * WIDTH, WIDTH):
        level = hashes[start : start + WIDTH]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=True)
            level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        yield level[0]


def path(level, index, width=WIDTH):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def cut(level, parts, size):
    """The files of a level, the last of which may be partial."""
    for start in range(0, len(parts), WIDTH):
        part = parts[start : start + WIDTH]
        if size <= WHOLE or level not in {0, ENTRIES} or start + 2 * WIDTH > len(parts):
            yield file(path(level, start // WIDTH, len(part)), b"".join(part))


def file(where, data):
    told = {"path": where, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {**told, "hex": data.hex()} if len(data) <= SHORT else told


def files(size):
    entries = [entry(number) for number in range(size)]
    yield from cut(ENTRIES, [with_length(one) for one in entries], size)
    hashes, level = [hashlib.sha256(b"\0" + one).digest() for one in entries], 0
    while hashes:
        yield from cut(level, hashes, size)
        hashes, level = list(above(hashes)), level + 1


def log(size):
    entries = [entry(number) for number in range(size)]
    index = size * 2 // 3
    return {
        "size": size,
        "root": rfc6962.root(entries).hex(),
        "whole": size <= WHOLE,
        "files": list(files(size)),
        "inclusion": {
            "index": index,
            "path": [b64encode(one).decode() for one in rfc6962.path(index, entries)],
        },
    }


def refused_files():
    """Bytes that are not what lies under a path."""
    two = with_length(b"a") + with_length(b"bc")
    bundle, tile = path(ENTRIES, 0, 2), path(0, 0, 2)
    yield bundle, two[:-1], "the last entry is cut"
    yield bundle, two[:-3], "its length is cut"
    yield bundle, with_length(b"a"), "an entry too few"
    yield bundle, two + with_length(b""), "an entry too many"
    yield bundle, two + b"\0", "a byte behind the last entry"
    yield bundle, b"", "nothing"
    yield tile, bytes(32), "a hash too few"
    yield tile, bytes(96), "a hash too many"
    yield tile, bytes(63), "a hash that is cut"
    yield tile, b"", "nothing"


def made():
    return {
        "made_by": "tests/vectors/federation/tiles.py",
        "entries": "the entry at index i is the text `entry <i>`, i in decimal digits",
        "logs": [log(size) for size in SIZES],
        "paths": [
            {"level": level, "index": index, "width": width, "path": path(level, index, width)}
            for level, index, width in PLACES
        ],
        "refused_paths": [{"path": one, "what": what} for one, what in REFUSED_PATHS.items()],
        "refused_files": [
            {"path": where, "hex": data.hex(), "what": what}
            for where, data, what in refused_files()
        ],
    }


def main():
    OUT.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
