# SPDX-License-Identifier: Apache-2.0
"""Three root keys are made in three places, or none is."""

import secrets

import pytest

from federation.signers.ceremony import FILE, ceremony
from federation.signers.files import create, load


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
