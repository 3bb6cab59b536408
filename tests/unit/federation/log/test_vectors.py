# SPDX-License-Identifier: Apache-2.0
"""We agree with tests/vectors/federation/log.json, which was made without us."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from federation.errors import RefusedError
from federation.keys import MemorySigner
from federation.log.checkpoints import Checkpoint, opened
from federation.log.cosignatures import Cosigner, cosign, times
from federation.log.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from federation.log.notes import Note
from federation.log.proofs import consistency_proof, inclusion_proof
from federation.log.verifiers import Verifier
from tests.support import rfc6962
from tests.vectors.federation.log import made

FILE = Path(__file__).parents[3] / "vectors/federation/log.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
ENTRIES = [b64decode(entry) for entry in VECTORS["entries"]]
ROOTS = [b64decode(root) for root in VECTORS["roots"]]
READ = rfc6962.reading(ENTRIES)
ORIGIN = VECTORS["log"]["origin"]
LOG = Verifier.parse(VECTORS["log"]["vkey"])
WITNESS = Cosigner.parse(VECTORS["witness"]["vkey"])


def hashes(written):
    return [b64decode(each) for each in written]


def checked(note):
    """Believe a checkpoint as a follower does; returns when the witness cosigned it."""
    parsed = Note.parse(note.encode())
    opened(parsed, ORIGIN, [LOG])
    return times(parsed, [WITNESS]).get(WITNESS)


def test_the_file_is_what_its_script_makes():
    assert made() == VECTORS


def test_eight_entries_have_the_root_that_everybody_knows():
    assert ROOTS[8].hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_frontier_has_the_roots():
    frontier = Frontier()
    for size, root in enumerate(ROOTS):
        assert frontier.root() == root
        frontier = frontier.extended(leaf_hash(entry) for entry in ENTRIES[size : size + 1])


@pytest.mark.parametrize(
    "case", VECTORS["inclusion"], ids=lambda it: f"{it['index']}-{it['size']}"
)
def test_entries_are_proven(case):
    index, size, path = case["index"], case["size"], hashes(case["path"])

    assert inclusion_proof(index, size, READ) == path
    verify_inclusion(index, size, leaf_hash(ENTRIES[index]), path, ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda it: f"{it['old']}-{it['new']}")
def test_growth_is_proven(case):
    old, new, proof = case["old"], case["new"], hashes(case["proof"])

    assert consistency_proof(old, new, READ) == proof
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


@pytest.mark.parametrize("case", VECTORS["refused_inclusion"], ids=lambda it: it["what"])
def test_wrong_proofs_of_entries_are_refused(case):
    index, size = case["index"], case["size"]
    leaf = leaf_hash(ENTRIES[index % size])

    with pytest.raises(RefusedError):
        verify_inclusion(index, size, leaf, hashes(case["path"]), ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["refused_consistency"], ids=lambda it: it["what"])
def test_wrong_proofs_of_growth_are_refused(case):
    old, new = case["old"], case["new"]

    with pytest.raises(RefusedError):
        verify_consistency(old, ROOTS[old], new, ROOTS[new], hashes(case["proof"]))


@pytest.mark.parametrize("case", VECTORS["accepted"], ids=lambda it: it["what"])
def test_what_is_to_be_accepted_is(case):
    assert checked(case["note"]) == case["cosigned"]


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda it: it["what"])
def test_what_is_to_be_refused_is_and_for_its_reason(case):
    with pytest.raises(RefusedError) as refused:
        checked(case["note"])

    assert refused.value.alarm.value == case["alarm"]


def test_we_sign_as_the_file_does():
    log, witness = (MemorySigner(b64decode(VECTORS[who]["seed"])) for who in ("log", "witness"))
    cosigned = next(case for case in VECTORS["accepted"] if case["what"] == "cosigned")

    note = Checkpoint(ORIGIN, 13, ROOTS[13]).signed(log)
    line = cosign(note.text, WITNESS.name, witness, cosigned["cosigned"])

    assert note.with_signatures([line]).encoded().decode() == cosigned["note"]
