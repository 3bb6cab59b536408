# SPDX-License-Identifier: Apache-2.0
"""Three root keys are made in three places, or none is."""

import secrets
import time
from dataclasses import replace

import pytest

from federation.errors import MissingKeyError
from federation.identity.client import follow
from federation.identity.pairing import Pairing
from federation.identity.repository import created, rotated
from federation.signers.ceremony import FILE, THRESHOLD, ceremony
from federation.signers.files import create, load
from tests.simulators.identities import BASE, HUB, hub_file
from tests.support.repositories import MemoryFiles, online, roles

NOW = int(time.time())  # TUF's client has no other clock


@pytest.fixture
def folders(tmp_path):
    made = tuple(tmp_path / name for name in ("ada", "bea", "cleo"))
    for folder in made:
        folder.mkdir()
    return made


def test_each_of_three_folders_holds_a_key_of_its_own(folders):
    signers = ceremony(folders, secrets.token_bytes)

    assert [load(folder / FILE).public for folder in folders] == [one.public for one in signers]
    assert len({one.public for one in signers}) == 3


def test_a_key_that_is_there_stays_and_no_other_is_made(folders):
    before = create(folders[2] / FILE, secrets.token_bytes)

    with pytest.raises(FileExistsError):
        ceremony(folders, secrets.token_bytes)
    assert load(folders[2] / FILE).public == before.public
    assert not any((folder / FILE).exists() for folder in folders[:2])


def test_without_a_third_folder_no_key_is_made(folders):
    folders[2].rmdir()

    with pytest.raises(FileNotFoundError):
        ceremony(folders, secrets.token_bytes)
    assert not any((folder / FILE).exists() for folder in folders[:2])


def test_two_names_of_one_folder_are_one_place(folders, tmp_path):
    (tmp_path / "dora").symlink_to(folders[0])

    with pytest.raises(ValueError, match="three places"):
        ceremony((folders[0], folders[1], tmp_path / "dora"), secrets.token_bytes)
    assert not (folders[0] / FILE).exists()


def test_two_of_the_three_begin_a_repository_and_replace_the_third(folders, tmp_path):
    files, keys = MemoryFiles(), online()
    ada, bea, cleo = (one.public for one in ceremony(folders, secrets.token_bytes))
    before = replace(roles(), root=(ada, bea, cleo), threshold=THRESHOLD)
    two = [load(folder / FILE) for folder in folders[:2]]
    root = created(files, before, hub_file(), root_signers=two, signers=keys, now=NOW)
    dora = create(tmp_path / FILE, secrets.token_bytes)

    after = replace(before, root=(ada, bea, dora.public))
    rotated(files, after, root_signers=two, signers=keys, leaving=keys, now=NOW)

    pairing = Pairing(HUB, BASE, root)
    assert follow(pairing, files.fetch, tmp_path / "state").root_version == 2
    with pytest.raises(MissingKeyError):
        rotated(files, before, root_signers=[load(folders[2] / FILE)], signers=keys, now=NOW)
