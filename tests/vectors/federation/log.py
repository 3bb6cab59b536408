# SPDX-License-Identifier: Apache-2.0
"""Makes ``tests/vectors/federation/log.json``: a log as others must see it too.

Run from the top of the repository: ``python -m tests.vectors.federation.log``. Nothing of
``federation`` is used: roots and proofs are RFC 6962 word for word, signatures are cryptography's,
notes are put together by hand. The seeds are published, so nobody may trust their keys.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support import rfc6962

OUT = Path("tests/vectors/federation/log.json")
ORIGIN = "hub-a.example/fed/1"
WITNESS = "hub-b.example/witness"
LOG_SEED, WITNESS_SEED, OTHER_SEED = (bytes([number]) * 32 for number in (1, 2, 3))
TIME = 1_795_000_000
SIZES = (1, 2, 3, 5, 8, 13, 21)
# The first eight are those of the tests of RFC 6962's first implementation, whose roots are known.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
] + [b"entry %d" % number for number in range(8, 21)]  # fmt: skip


def text(value):
    return b64encode(value).decode()


def public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def key_id(name, kind, seed):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public(seed)).digest()[:4]


def vkey(name, kind, seed):
    return f"{name}+{key_id(name, kind, seed).hex()}+{text(bytes([kind]) + public(seed))}"


def lines(size, root, origin=ORIGIN):
    return f"{origin}\n{size}\n{text(root)}\n"


def line(name, kind, seed, said, *, time=b""):
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(said)
    return f"— {name} {text(key_id(name, kind, seed) + time + signature)}\n"


def signed(body, seed=LOG_SEED, name=ORIGIN):
    return f"{body}\n{line(name, 1, seed, body.encode())}"


def cosignature(body, time=TIME):
    said = f"cosignature/v1\ntime {time}\n{body}".encode()
    return line(WITNESS, 4, WITNESS_SEED, said, time=time.to_bytes(8, "big"))


def inclusion():
    for size in SIZES:
        for index in sorted({0, size // 2, size - 1}):
            path = [text(each) for each in rfc6962.path(index, ENTRIES[:size])]
            yield {"index": index, "size": size, "path": path}


def consistency():
    for new in SIZES:
        for old in (size for size in SIZES if size <= new):
            proof = [text(each) for each in rfc6962.proof(old, ENTRIES[:new])]
            yield {"old": old, "new": new, "proof": proof}


def accepted():
    body = lines(13, rfc6962.root(ENTRIES[:13]))
    empty = lines(0, rfc6962.root([]))
    yield "signed by the log", signed(body), None
    yield "an empty log", signed(empty), None
    yield "cosigned", signed(body) + cosignature(body), TIME
    twice = cosignature(body, TIME + 60) + cosignature(body)
    yield "cosigned twice: the newest time counts", signed(body) + twice, TIME + 60
    stranger = line("hub-c.example/witness", 4, OTHER_SEED, b"", time=bytes(8))
    yield "a stranger's line says nothing", signed(body) + stranger, None


def refused():
    root = rfc6962.root(ENTRIES[:13])
    body = lines(13, root)
    good = signed(body)
    other = lines(13, root, "hub-a.example/fed/2")
    yield "signed by nobody", f"{body}\n", "unsigned"
    yield "signed by another key", signed(body, OTHER_SEED), "unknown-key"
    yield "signed under another name", signed(body, name="hub-c.example/fed/1"), "unknown-key"
    yield "a size that was changed", good.replace("\n13\n", "\n14\n"), "bad-signature"
    yield (
        "a false line beside a true one",
        good + signed(other).splitlines(keepends=True)[-1],
        "bad-signature",
    )
    yield (
        "another log's, under the same key",
        f"{other}\n{line(ORIGIN, 1, LOG_SEED, other.encode())}",
        "wrong-origin",
    )
    yield "a cosignature of another checkpoint", good + cosignature(other), "bad-signature"
    yield "a cosignature of no time", good + cosignature(body, 0), "bad-signature"
    yield "an extension line", signed(body + "more\n"), "malformed"
    yield "two lines", signed("\n".join(body.split("\n")[:2]) + "\n"), "malformed"
    yield "leading zeros", signed(body.replace("\n13\n", "\n013\n")), "malformed"
    yield "a sign", signed(body.replace("\n13\n", "\n+13\n")), "malformed"
    yield "a size past 2**63 - 1", signed(lines(2**63, root)), "malformed"
    yield "a root of 31 bytes", signed(lines(13, root[:31])), "malformed"
    loose = body.rstrip("=\n")
    yield (
        "a root in other base64",
        signed(loose[:-1] + chr(ord(loose[-1]) + 1) + "=\n"),
        "non-canonical",
    )
    yield "carriage returns", good.replace("\n", "\r\n"), "malformed"
    yield "a last line that was cut", good[:-1], "malformed"
    yield "33 lines", good + good.splitlines(keepends=True)[-1] * 32, "too-large"


def wrong(proof):
    """Proofs beside a true one; each is refused."""
    yield "one hash more", [*proof, bytes(32)]
    if proof:
        yield "one hash less", proof[:-1]
        yield "another hash", [bytes(32), *proof[1:]]
        yield "a hash that was cut", [proof[0][:31], *proof[1:]]


def refused_inclusion():
    for case in inclusion():
        path = [b64decode(each) for each in case["path"]]
        for what, other in wrong(path):
            yield {**case, "path": [text(each) for each in other], "what": what}
        yield {**case, "index": case["index"] + 1, "what": "the next entry's place"}


def refused_consistency():
    for case in consistency():
        proof = [b64decode(each) for each in case["proof"]]
        for what, other in wrong(proof):
            yield {**case, "proof": [text(each) for each in other], "what": what}


def made():
    return {
        "made_by": "tests/vectors/federation/log.py; bytes are in base64",
        "log": {"origin": ORIGIN, "vkey": vkey(ORIGIN, 1, LOG_SEED), "seed": text(LOG_SEED)},
        "witness": {"vkey": vkey(WITNESS, 4, WITNESS_SEED), "seed": text(WITNESS_SEED)},
        "entries": [text(entry) for entry in ENTRIES],
        "roots": [text(rfc6962.root(ENTRIES[:size])) for size in range(len(ENTRIES) + 1)],
        "inclusion": list(inclusion()),
        "consistency": list(consistency()),
        "refused_inclusion": list(refused_inclusion()),
        "refused_consistency": list(refused_consistency()),
        "accepted": [
            {"what": what, "note": note, "cosigned": time} for what, note, time in accepted()
        ],
        "refused": [
            {"what": what, "note": note, "alarm": alarm} for what, note, alarm in refused()
        ],
    }


def main():
    OUT.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
