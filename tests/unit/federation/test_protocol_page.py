# SPDX-License-Identifier: Apache-2.0
"""What docs/protocol/federation.md shows is what the code does: its examples and its limits."""

import base64
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from federation import publishing
from federation.believing import Partner
from federation.errors import Alarm
from federation.identity.hubfile import write as write_hub_file
from federation.identity.pairing import Pairing
from federation.identity.values import HubFile, Log, Operator, OpKey, ReqKey
from federation.keys import MemorySigner
from federation.log.bundles import bundled
from federation.log.cosignatures import Cosigner
from federation.log.merkle import Frontier, leaf_hash
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind
from federation.operations.payloads import write
from federation.operations.values import Op, Operation
from federation.pages import Page, Record
from federation.publishing import LogKeys
from federation.transport.messages import Request, Response
from federation.transport.signatures import (
    Signing,
    signed_request,
    signed_response,
    verified,
    verify_response,
)
from federation.trust import Trust, accept
from federation.witnessing import Request as Asked
from tests.simulators.statements import BODIES, NOW, SET, operation

PAGE = (Path(__file__).parents[3] / "docs" / "protocol" / "federation.md").read_text()
HUB, OTHER = "hub-a.example", "hub-b.example"
BASE, ORIGIN, BEAT = f"https://{HUB}/fed/v1", f"{HUB}/fed/1", f"{HUB}/witness/1"
OP, LOG, WITNESS, ASKING, ANSWERING = (MemorySigner(bytes([n]) * 32) for n in range(1, 6))
KEYS = LogKeys(ORIGIN, LOG, BEAT, WITNESS)
NONCE = "AAECAwQFBgcICQoLDA0ODw"
ROOT = "0" * 64


def sent() -> Request:
    """The request that the page shows."""
    asked = Request("GET", f"{BASE}/ops?from=0&limit=1000")
    return signed_request(asked, Signing(f"{OTHER}#req-1", ASKING), created=NOW, nonce=NONCE)


def answered(body: bytes) -> Response:
    plain = Response(200, (("Content-Type", "application/json"),), body)
    return signed_response(plain, sent(), Signing(f"{HUB}#req-1", ANSWERING), created=NOW)


def hub_file() -> HubFile:
    return HubFile(
        hub=HUB,
        operator=Operator("games.example", "platform"),
        base=BASE,
        operators=("games.example",),
        log=Log(ORIGIN, (Verifier(ORIGIN, LOG.public).vkey,)),
        op_keys=(OpKey(f"{HUB}#op-1", OP.public, 1, 0, None),),
        req_keys=(ReqKey(f"{HUB}#req-1", ANSWERING.public),),
        witness=Cosigner(BEAT, WITNESS.public).vkey,
    )


def told() -> dict[str, str]:
    """Every example of the page, by its name."""
    (signed,) = publishing.signed([operation()], OP, f"{HUB}#op-1")
    leaf = Record(0, Kind.OWN, HUB, envelope=signed.sealed.told).entry(signed.said.id)
    frontier = Frontier().extended([leaf_hash(leaf)])
    note = publishing.checkpoint(frontier, KEYS, NOW)
    record = Record(0, Kind.OWN, HUB, envelope=signed.sealed.told)
    page = Page(0, 1, 1, (record,), (SET,), (), note.encoded()).encoded()
    return {
        "payload": signed.said.payload.decode(),
        "id": signed.said.id,
        "envelope": json.dumps(signed.sealed.told, indent=1),
        "leaf": leaf.decode(),
        "leaf-hash": leaf_hash(leaf).hex(),
        "bundle": bundled([leaf])[:4].hex(),
        "checkpoint": note.encoded().decode(),
        "vkeys": f"{Verifier(ORIGIN, LOG.public).vkey}\n{Cosigner(BEAT, WITNESS.public).vkey}",
        "pairing": str(Pairing(HUB, BASE, ROOT)),
        "hub.json": write_hub_file(hub_file()).decode(),
        "page": page.decode(),
        "request": _head(sent().headers),
        "answer": _head(answered(page).headers),
        "witness-request": Asked(0, (), note).encoded().decode(),
    }


def bodies() -> dict[str, str]:
    """One body of each kind of operation, as canonical bytes have it."""
    return {op.value: _body(operation(op)) for op in BODIES}


def _body(said: Operation) -> str:
    payload = json.loads(write(said).payload)
    return json.dumps(payload["body"], separators=(",", ":"))


def _head(lines: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in lines)


def examples() -> dict[str, str]:
    """The blocks of the page that have a name."""
    found = re.findall(r"<!-- example: (\S+) -->\n+```\w*\n(.*?)\n```", PAGE, re.DOTALL)
    return dict(found)


def limits() -> Iterator[tuple[str, str]]:
    """What the page's tables say of constants: a number, and the name it has in code."""
    for line in PAGE.splitlines():
        if found := re.match(r"\| [^|]+ \| ([0-9,]+)[^|]*\| `((?:federation|hub)\.\S+)` \|", line):
            yield found[2], found[1].replace(",", "")


LIMITS = dict(limits())


@pytest.mark.parametrize("name", told())
def test_the_page_shows_what_the_code_writes(name):
    assert examples()[name].strip() == told()[name].strip()


def test_no_example_is_held_against_nothing():
    assert set(examples()) == {*told(), "request-base", "answer-base"}


@pytest.mark.parametrize("op", Op)
def test_the_page_shows_each_body(op):
    assert f"`{bodies()[op.value]}`" in PAGE


def test_the_page_that_is_shown_is_believed():
    partner = Partner(
        hub=HUB,
        origin=ORIGIN,
        log=(Verifier(ORIGIN, LOG.public),),
        beat=Cosigner(BEAT, WITNESS.public),
        op_keys={one.id: one for one in hub_file().op_keys},
        operators=frozenset({"games.example"}),
        sets=frozenset({SET}),
        here=OTHER,
    )

    accepted = accept(examples()["page"].encode(), partner, Trust(), NOW)

    assert [one.said.id for one in accepted.operations] == [examples()["id"].strip()]


class Nobody:
    """Remembers nothing."""

    def is_new(self, *_: object) -> bool:
        return True


def test_request_and_answer_that_are_shown_are_believed():
    asked = verified(sent(), lambda _: ASKING.public, Nobody(), NOW)
    body = examples()["page"].encode()
    answer = verify_response(answered(body), sent(), lambda _: ANSWERING.public, NOW)

    assert (asked, answer) == (f"{OTHER}#req-1", f"{HUB}#req-1")


@pytest.mark.parametrize(("name", "key"), [("request", ASKING), ("answer", ANSWERING)])
def test_what_is_shown_signed_is_signed_over_the_lines_that_are_shown(name, key):
    lines = dict(line.split(": ", 1) for line in examples()[name].splitlines())
    signature = base64.b64decode(lines["Signature"].split(":")[1])

    assert key.public.verifies(signature, examples()[f"{name}-base"].encode())


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_is_what_the_code_says(name):
    module, _, constant = name.rpartition(".")

    assert float(LIMITS[name]) == float(getattr(import_module(module), constant))


def test_the_limits_are_all_there():
    assert len(LIMITS) > 30


@pytest.mark.parametrize("alarm", Alarm)
def test_each_alarm_is_told(alarm):
    assert f"| `{alarm.value}` |" in PAGE


@pytest.mark.parametrize("number", range(1, 10))
def test_each_step_has_its_number(number):
    section = PAGE.partition("\n## 7")[2].partition("\n## ")[0]

    assert re.search(rf"^{number}\. ", section, re.MULTILINE)
