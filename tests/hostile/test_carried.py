# SPDX-License-Identifier: Apache-2.0
"""What is carried in files, and what is given back: our hub agrees with the files that are shown.

They are made by ``python -m tests.vectors.federation.carried``.
"""

import io
import json
import zipfile

import pytest

from federation.errors import FederationError, RefusedError
from federation.returned import Returned, own
from hub.ports.exchange import ACTIVE
from hub.services.exchange import serving
from hub.services.exchange.bundling import read_bundle
from tests.hostile.contract import UNREACHABLE, Contract, today
from tests.hostile.peer import hub_file
from tests.vectors.federation.carried import OUT, made, peer, relayed

MANIFEST = json.loads((OUT / "manifest.json").read_bytes())
NOW = MANIFEST["now"]


def shown(data):
    """A bundle's files and how they are kept; how well they are packed is zlib's affair."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [
            (info.filename, info.date_time, info.compress_type, archive.read(info))
            for info in archive.infolist()
        ]


def test_the_files_are_what_their_script_makes():
    there = {path.name: path.read_bytes() for path in OUT.iterdir()}
    now = made()

    assert there.keys() == now.keys()
    for name, data in now.items():
        if name.endswith(".json"):
            assert there[name] == data, name
        elif name != "cut.zip":
            assert shown(there[name]) == shown(data), name


# -- bundles -------------------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path):
    """A hub that is paired with the peer, and has heard nothing of it yet."""
    contract = Contract.init(tmp_path / "fresh", MANIFEST["pairing"], NOW)
    yield contract
    contract.close()


def read(contract, name):
    """What came of a file: whether it was taken, the alarm, and how much of it was."""
    before = {one["alarm"] for one in evidence(contract)}
    told, alarm = None, None
    try:
        with today(NOW), (OUT / name).open("rb") as file:
            told = read_bundle(file, hub=contract.hub, voice=contract.hub.abroad.voice())
    except RefusedError as error:
        alarm = str(error.alarm)
    except FederationError:
        alarm = UNREACHABLE
    kept = [str(one["alarm"]) for one in evidence(contract) if one["alarm"] not in before]
    return told, alarm or (kept[0] if kept else None)


def evidence(contract):
    with contract.hub.begin.reading() as work:
        return list(work.partners.evidence(contract.partner().key))


@pytest.mark.parametrize("case", MANIFEST["bundles"], ids=lambda it: it["what"])
def test_of_a_file_comes_what_must(fresh, case):
    if "follows" in case:
        read(fresh, case["follows"])

    told, alarm = read(fresh, case["file"])

    assert (told is not None, alarm) == (case["ok"], case["alarm"])
    assert fresh.partner().trust.applied == case["applied"]
    assert fresh.partner().state == ACTIVE
    if told is not None:
        assert (told.kept, told.refused) == (case["kept"], case["refused"])


@pytest.mark.parametrize(
    ("name", "told", "ids"),
    [("whole.zip", peer, MANIFEST["ids"]), ("relayed.zip", relayed, MANIFEST["relayed"])],
)
def test_who_read_the_file_knows_what_who_asked_knows(fresh, tmp_path, name, told, ids):
    read(fresh, name)
    asking = Contract.init(tmp_path / "asking", MANIFEST["pairing"], NOW)
    with told().behind() as served:
        assert asking.sync(served.url)["ok"]

    assert asking.dump().encoded() == fresh.dump().encoded()
    held = [one for register in fresh.dump().registers for one in register["ids"]]
    assert sorted(held) == sorted(ids)
    asking.close()


# -- what is given back --------------------------------------------------------------------------


@pytest.mark.parametrize("case", MANIFEST["yours"], ids=lambda it: it["what"])
def test_of_what_is_given_back_one_knows_its_own(case):
    data = (OUT / case["file"]).read_bytes()
    returned = Returned.parse(data)

    assert [one.said.id for one in own(returned, hub_file())] == case["own"]
    assert returned.encoded() == data


@pytest.mark.parametrize(("start", "name"), [(0, "yours.json"), (2, "yours-rest.json")])
def test_our_hub_gives_back_what_the_file_shows(contract, start, name):
    told = serving.returned(contract.partner(), start=start, after=0, hub=contract.hub)

    assert told.encoded() == (OUT / name).read_bytes()
