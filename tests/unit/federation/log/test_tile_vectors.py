# SPDX-License-Identifier: Apache-2.0
"""We agree with tests/vectors/federation/tiles.json, which was made without us."""

import hashlib
import json
from base64 import b64decode
from pathlib import Path

import pytest

from federation.errors import MalformedError
from federation.log.bundles import bundled, entries_of
from federation.log.merkle import Frontier, leaf_hash, verify_inclusion
from federation.log.proofs import inclusion_proof
from federation.log.tiles import ENTRIES, Tile, hashes_of, reading, tiles_of
from federation.publishing import grown
from tests.vectors.federation.tiles import made

FILE = Path(__file__).parents[3] / "vectors/federation/tiles.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
WIDTH = 256


def entry(index):
    return b"entry %d" % index


class Log:
    """A log of ours, of some size."""

    def __init__(self, size):
        self.size = size
        growth = grown(Frontier(), {}, [entry(index) for index in range(size)])
        self.root, self._tiles = growth.frontier.root(), growth.tiles

    def file(self, tile):
        """What it has under a path."""
        if tile.level == ENTRIES:
            first = tile.index * WIDTH
            return bundled(entry(index) for index in range(first, first + tile.width))
        return self._tiles[tile.level, tile.index][: 32 * tile.width]

    def read(self, wanted):
        return [self.file(tile) for tile in wanted]


@pytest.fixture(scope="module", params=VECTORS["logs"], ids=lambda told: told["size"])
def told_and_log(request):
    return request.param, Log(request.param["size"])


def test_the_file_is_what_its_script_makes():
    assert made() == VECTORS


def test_a_log_has_the_root_and_the_files(told_and_log):
    told, log = told_and_log

    assert log.root.hex() == told["root"]
    for one in told["files"]:
        data = log.file(Tile.parse(one["path"]))
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["bytes"], one["sha256"])
        assert one.get("hex", data.hex()) == data.hex()


def test_a_log_has_no_other_files(told_and_log):
    told, log = told_and_log
    ours = {tile.path for tile in tiles_of(log.size)}
    theirs = {one["path"] for one in told["files"]}

    assert theirs <= ours
    assert theirs == ours or not told["whole"]


def test_what_lies_there_is_read(told_and_log):
    told, _ = told_and_log
    for one in told["files"]:
        tile = Tile.parse(one["path"])
        if "hex" not in one:
            continue
        data = bytes.fromhex(one["hex"])
        if tile.level == ENTRIES:
            first = tile.index * WIDTH
            assert entries_of(tile, data) == [entry(first + at) for at in range(tile.width)]
        else:
            assert b"".join(hashes_of(tile, data)) == data


def test_an_entry_is_proven_by_the_files(told_and_log):
    told, log = told_and_log
    index = told["inclusion"]["index"]
    path = [b64decode(one) for one in told["inclusion"]["path"]]

    assert inclusion_proof(index, log.size, reading(log.size, log.read)) == path
    verify_inclusion(index, log.size, leaf_hash(entry(index)), path, log.root)


@pytest.mark.parametrize("case", VECTORS["paths"], ids=lambda it: it["path"])
def test_a_path_is_written_in_one_way(case):
    level = ENTRIES if case["level"] == "entries" else case["level"]
    tile = Tile(level, case["index"], case["width"])

    assert tile.path == case["path"]
    assert Tile.parse(case["path"]) == tile


@pytest.mark.parametrize("case", VECTORS["refused_paths"], ids=lambda it: it["what"])
def test_every_other_path_is_refused(case):
    with pytest.raises(MalformedError):
        Tile.parse(case["path"])


@pytest.mark.parametrize(
    "case", VECTORS["refused_files"], ids=lambda it: f"{it['path']}: {it['what']}"
)
def test_what_is_not_as_long_as_its_path_says_is_refused(case):
    tile, data = Tile.parse(case["path"]), bytes.fromhex(case["hex"])
    read = entries_of if tile.level == ENTRIES else hashes_of

    with pytest.raises(MalformedError):
        read(tile, data)
