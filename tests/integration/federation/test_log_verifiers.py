# SPDX-License-Identifier: Apache-2.0
"""Programs of other people, unchanged, believe our logs and witnesses, and doubt what we doubt.

aics-tlog and aics-witness (PyPI), and Go's golang.org/x/mod. ``tests/support/oracles.py`` says
how they are found.
"""

import json
import time
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from federation.errors import FederationError, SizeConflictError
from federation.log.checkpoints import Checkpoint, opened
from federation.log.cosignatures import cosign, times
from federation.log.merkle import Frontier, leaf_hash
from federation.log.notes import Note, Signature
from federation.log.proofs import consistency_proof, inclusion_proof
from federation.log.tiles import Tile
from federation.witnessing import Request, Seen, Witness, http_status
from tests.support.oracles import asked_of, foreign_witness_of, go_built, oracle, told
from tests.support.publishing import answering, publish, served
from tests.support.signing import ORIGIN, cosigner, log_key, signer

pytestmark = pytest.mark.services

HERE = Path(__file__).parent
OLD, SIZE = 300, 1123  # one full tile and five; partial ones on two levels
ENTRIES = [b'{"entry": %d}' % number for number in range(SIZE)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
PLACES = (0, 255, 256, 777, 1122)
WITNESS = cosigner(7, "hub-b.example/witness")


def read(nodes):
    """Hashes of full subtrees of our log."""
    return [
        Frontier().extended(LEAVES[at << level : (at + 1) << level]).root() for level, at in nodes
    ]


def signed(size, leaves=LEAVES):
    checkpoint = Checkpoint(ORIGIN, size, Frontier().extended(leaves[:size]).root())
    return checkpoint.signed(signer(1))


FORKED = [leaf_hash(b"another"), *LEAVES[1:]]


@pytest.fixture
def log(tmp_path):
    """A log's files, cosigned by our witness just now."""
    note = signed(SIZE)
    line = cosign(note.text, WITNESS.name, signer(7), int(time.time()))
    publish(tmp_path / "log", ENTRIES, note.with_signatures([line]))
    return tmp_path / "log"


@pytest.fixture
def url(log):
    with served(log) as address:
        yield address


@pytest.fixture
def yesterday(tmp_path):
    path = tmp_path / "yesterday.note"
    path.write_bytes(signed(OLD).encoded())
    return path


def asked(what, url, *words):
    """Ask aics-tlog of the log; it knows the log's key from elsewhere."""
    return told("aics-tlog", what, "--tiles", url + "/", "--log-key", log_key().vkey, *words)


def test_aics_tlog_believes_our_checkpoint_and_its_witness(url):
    words = ("--witness-key", WITNESS.vkey, "--quorum", "1", "--max-age", "3600")

    done = asked("verify-checkpoint", url, "--origin", ORIGIN, *words)

    assert done.returncode == 0, done.stderr


def test_aics_tlog_misses_a_witness_that_did_not_cosign(url):
    words = ("--witness-key", cosigner(8).vkey, "--quorum", "1")

    assert asked("verify-checkpoint", url, *words).returncode != 0


def test_aics_tlog_asks_for_the_logs_key(url):
    done = told(
        "aics-tlog", "verify-checkpoint", "--tiles", url + "/", "--log-key", log_key(2).vkey
    )

    assert done.returncode != 0


@pytest.mark.parametrize("index", PLACES)
def test_aics_tlog_finds_our_entries(url, tmp_path, index):
    done = asked("verify-inclusion", url, "--index", index, "--entry-out", tmp_path / "entry")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "entry").read_bytes() == ENTRIES[index]


def test_aics_tlog_sees_an_entry_that_was_changed(log, url):
    bundle = log / "tile/entries/003"
    bundle.write_bytes(bundle.read_bytes().replace(b'"entry": 777', b'"entry": 778'))

    assert asked("verify-inclusion", url, "--index", 777).returncode != 0
    assert asked("verify-inclusion", url, "--index", 255).returncode == 0


def test_aics_tlog_believes_that_our_log_grew(url, yesterday):
    done = asked("verify-consistency", url, "--old-checkpoint", yesterday)

    assert done.returncode == 0, done.stderr


def test_aics_tlog_sees_a_fork(url, yesterday):
    yesterday.write_bytes(signed(OLD, FORKED).encoded())

    assert asked("verify-consistency", url, "--old-checkpoint", yesterday).returncode != 0


def test_aics_tlog_believes_our_proofs(tmp_path):
    proof = tmp_path / "proof"
    roots = [Frontier().extended(LEAVES[:size]).root() for size in (OLD, SIZE)]
    proof.write_bytes(
        b"".join(b64encode(each) + b"\n" for each in consistency_proof(OLD, SIZE, read))
    )
    words = ("--old-size", OLD, "--new-size", SIZE, "--proof", proof)
    names = (
        "--old-root",
        b64encode(roots[0]).decode(),
        "--new-root",
        b64encode(roots[1]).decode(),
    )

    done = told("aics-tlog", "verify-consistency", *words, *names)

    assert done.returncode == 0, done.stderr


def test_aics_tlog_makes_the_same_files(log, tmp_path):
    leaves, out = tmp_path / "leaves", tmp_path / "theirs"
    leaves.write_bytes(b"".join(entry + b"\n" for entry in ENTRIES))

    done = told("aics-tlog", "build-tiles", "--leaves", leaves, "--out", out)

    assert done.returncode == 0, done.stderr
    assert files(out) == files(log)


def files(folder):
    found = (path for path in (folder / "tile").rglob("*") if path.is_file())
    return {Tile.parse(str(path.relative_to(folder))): path.read_bytes() for path in found}


def test_go_believes_our_log_and_finds_the_proofs_we_make(log, url, yesterday, tmp_path):
    program = go_built(HERE / "verify.go", tmp_path / "verify")

    done = told(program, url, log_key().vkey, yesterday, *PLACES)

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # The witness is a stranger to it, and does no harm.
    assert found["strangers"] == 1
    assert found["growth"] == written(consistency_proof(OLD, SIZE, read))
    assert found["entries"] == {
        str(index): written(inclusion_proof(index, SIZE, read)) for index in PLACES
    }


def test_go_doubts_what_we_doubt(log, url, yesterday, tmp_path):
    program = go_built(HERE / "verify.go", tmp_path / "verify")
    yesterday.write_bytes(signed(OLD, FORKED).encoded())

    forked = told(program, url, log_key().vkey, yesterday)
    other_key = told(program, url, log_key(2).vkey, yesterday)
    tile = log / "tile/0/003"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    yesterday.write_bytes(signed(OLD).encoded())
    changed = told(program, url, log_key().vkey, yesterday, 777)

    assert [done.returncode for done in (forked, other_key, changed)] == [1, 1, 1]


def written(hashes):
    return [b64encode(each).decode() for each in hashes]


@pytest.fixture
def foreign_witness(tmp_path):
    """aics-witness, which knows our log; its address and key."""
    with foreign_witness_of(ORIGIN, log_key().vkey, tmp_path) as found:
        yield found


def test_a_foreign_witness_cosigns_our_log_and_refuses_its_fork(foreign_witness):
    address, key = foreign_witness

    def submit(old, note, proof=()):
        body = Request(old, tuple(proof), note).encoded()
        return asked_of(f"{address}/add-checkpoint", body)

    first, cosigned = submit(0, signed(OLD))
    conflict, size = submit(0, signed(SIZE))
    grown, cosigned_again = submit(OLD, signed(SIZE), consistency_proof(OLD, SIZE, read))
    forked, _ = submit(SIZE, signed(SIZE, FORKED))
    unproven, _ = submit(SIZE, signed(SIZE), [bytes(32)])
    unsigned, _ = submit(SIZE, Checkpoint(ORIGIN, SIZE, bytes(32)).signed(signer(2)))
    stranger, _ = submit(0, Checkpoint("hub-x.example/fed/1", 0, bytes(32)).signed(signer(1)))
    shown, last = asked_of(f"{address}/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")

    statuses = [first, conflict, grown, forked, unproven, unsigned, stranger, shown]
    assert statuses == [200, 409, 200, 422, 422, 403, 404, 200]
    assert size == b"%d\n" % OLD
    for note, lines in [(signed(OLD), cosigned), (signed(SIZE), cosigned_again)]:
        assert key in times(with_lines(note, lines), [key])
    assert opened(Note.parse(last), ORIGIN, [log_key()]).size == SIZE
    assert key in times(Note.parse(last), [key])


def with_lines(note, lines):
    return note.with_signatures(Signature.parse(line) for line in lines.splitlines())


@dataclass
class OurWitness:
    """Our rules behind HTTP; keeps what they say in memory."""

    rules: Witness = field(
        default_factory=lambda: Witness(WITNESS.name, signer(7), {ORIGIN: [log_key()]})
    )
    seen: Seen = field(default_factory=lambda: Seen(ORIGIN))
    errors: list[str] = field(default_factory=list)

    def answer(self, path, body):
        try:
            assert path == "/add-checkpoint"
            cosigned = self.rules.cosigned(Request.parse(body), self.seen, int(time.time()))
        except SizeConflictError as error:
            return http_status(error), "text/x.tlog.size", b"%d\n" % error.size
        except FederationError as error:
            self.errors.append(str(error))
            return http_status(error), "text/plain", b"refused\n"
        assert self.seen == cosigned.expected
        self.seen = cosigned.seen
        return 200, "text/plain", cosigned.body


def test_our_witness_is_fed_by_a_foreign_log(tmp_path):
    python = Path(oracle("aics-witness")).parent / "python"
    entries = tmp_path / "entries"
    entries.write_bytes(b"".join(entry + b"\n" for entry in ENTRIES))
    notes = {"first": signed(OLD), "grown": signed(SIZE), "forked": signed(SIZE, FORKED)}
    notes["forged"] = Checkpoint(ORIGIN, SIZE, bytes(32)).signed(signer(2))
    for name, note in notes.items():
        (tmp_path / f"{name}.note").write_bytes(note.encoded())
    order = ("first", "grown", "grown", "first", "forked", "forged")
    witness = OurWitness()

    with answering(witness.answer) as address:
        words = (HERE / "feeds.py", address, WITNESS.vkey, tmp_path, entries, *order)
        done = told(python, *words)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"cosigned {WITNESS.name}",
        f"cosigned {WITNESS.name}",
        f"cosigned {WITNESS.name}",
        "WitnessAhead",
        "refused 422",
        "refused 403",
    ]
    assert witness.seen.size == SIZE
    assert [error.split(":")[0] for error in witness.errors] == ["fork", "unknown-key"]
