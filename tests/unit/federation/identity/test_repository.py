# SPDX-License-Identifier: Apache-2.0
"""Whoever looks at a repository at any moment, or after any crash, believes what it sees."""

import json
import os
import time
from dataclasses import replace
from datetime import datetime

import pytest

from federation.errors import MalformedError, MissingKeyError
from federation.identity import repository
from federation.identity.client import follow
from federation.identity.folders import Folder
from federation.identity.repository import Signers
from federation.identity.values import HubFile
from tests.simulators.identities import hub_file
from tests.support.repositories import (
    DAY,
    MemoryFiles,
    Partner,
    contents,
    online,
    roles,
    signers_of,
)
from tests.support.signing import signer

NOW = int(time.time())  # TUF's client has no other clock
TIMESTAMP = "metadata/timestamp.json"


@pytest.fixture
def files():
    return MemoryFiles()


@pytest.fixture
def partner(files):
    return Partner(files, NOW)


def said(files, name):
    return json.loads(files.held[name])["signed"]


def lifetime(files, name):
    expires = datetime.fromisoformat(said(files, name)["expires"])
    return (expires.timestamp() - NOW) / DAY


def changes():
    """What is done to a repository that partners follow."""
    return {
        "publish": lambda partner: partner.publish(min_version=2),
        "refresh": lambda partner: partner.refresh(),
        "refresh with a snapshot": lambda partner: partner.refresh(NOW + 4 * DAY),
        "rotate": lambda partner: partner.rotate(),
        "rotate the root's keys": lambda partner: partner.rotate(first=10),
        "renew the root": lambda partner: partner.rotate(
            signing=(1, 2), roots=(1, 2, 3), first=10
        ),
    }


@pytest.mark.parametrize("change", changes())
def test_at_every_moment_of_a_change_there_is_something_to_believe(
    files, partner, change, tmp_path
):
    pairing = partner.begin()
    follow(pairing, files.fetch, tmp_path / "old")
    looks: list[HubFile] = []

    def look():
        looks.append(follow(pairing, files.fetch, tmp_path / f"new-{len(looks)}").hub)
        follow(pairing, files.fetch, tmp_path / "old")

    files.written = look
    changes()[change](partner)

    assert looks
    assert looks[-1] == partner.hub


@pytest.mark.parametrize("change", changes())
def test_a_change_that_a_crash_cut_short_is_done_again(partner, files, change, tmp_path):
    pairing = partner.begin()
    follow(pairing, files.fetch, tmp_path)
    before, first, crashes = dict(files.held), partner.first, 0
    while True:
        files.held, files.left = dict(before), crashes
        partner.hub, partner.first = hub_file(), first
        try:
            changes()[change](partner)
            break
        except OSError:
            crashes += 1
        partner.first = first
        follow(pairing, files.fetch, tmp_path)
        files.left = 10**9
        changes()[change](partner)
        assert follow(pairing, files.fetch, tmp_path / f"new-{crashes}").hub == partner.hub

    assert crashes >= 1


def test_a_beginning_that_a_crash_cut_short_is_done_again(tmp_path):
    for left in range(5):
        files = MemoryFiles(left)
        with pytest.raises(OSError, match="stopped"):
            Partner(files, NOW).begin()
        files.left = 10**9

        pairing = Partner(files, NOW).begin()

        assert follow(pairing, files.fetch, tmp_path / str(left)).root_version == 1


def test_a_rotation_without_the_keys_that_leave_is_mended_by_publishing(files, partner, tmp_path):
    pairing = partner.begin()
    files.left = 1
    with pytest.raises(OSError, match="stopped"):
        partner.rotate(leaving=False)
    files.left, partner.first = 10**9, 20

    partner.publish()

    assert follow(pairing, files.fetch, tmp_path).root_version == 2


def test_each_kind_lives_as_long_as_its_keys_are_far_away(files, partner):
    partner.begin()

    assert [
        lifetime(files, name)
        for name in (
            "metadata/1.root.json",
            "metadata/1.targets.json",
            "metadata/1.snapshot.json",
            TIMESTAMP,
        )
    ] == [365, 90, 7, 1]


def test_snapshots_are_consistent_and_targets_are_named_by_their_hash(files, partner):
    partner.begin()

    assert said(files, "metadata/1.root.json")["consistent_snapshot"] is True
    assert sorted(files.held) == [
        "metadata/1.root.json",
        "metadata/1.snapshot.json",
        "metadata/1.targets.json",
        TIMESTAMP,
        partner.target_name(),
    ]


def test_publishing_raises_all_versions_but_the_roots(files, partner):
    partner.begin()
    partner.publish(min_version=2)

    assert {name for name in files.held if "/2." in name} == {
        "metadata/2.snapshot.json",
        "metadata/2.targets.json",
    }
    assert said(files, TIMESTAMP)["version"] == 2


@pytest.mark.parametrize(("days", "snapshots"), [(0, 1), (3, 1), (4, 2), (30, 2)])
def test_a_refresh_renews_the_snapshot_when_half_its_life_is_over(files, partner, days, snapshots):
    partner.begin()
    partner.refresh(NOW + days * DAY)

    assert said(files, TIMESTAMP)["version"] == 2
    assert said(files, TIMESTAMP)["meta"]["snapshot.json"]["version"] == snapshots
    assert "metadata/2.targets.json" not in files.held


def test_a_repository_is_begun_once(files, partner):
    partner.begin()
    before = dict(files.held)

    with pytest.raises(FileExistsError):
        partner.begin()
    assert files.held == before


def test_without_a_repository_there_is_nothing_to_change(files, partner):
    for change in (partner.publish, partner.refresh, partner.rotate):
        with pytest.raises(MissingKeyError):
            change()
    assert not files.held


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_nothing_is_shown_that_the_wrong_key_signed(files, partner, role):
    wrong = replace(online(), **{role: (signer(99),)})
    with pytest.raises(MissingKeyError, match=role):
        repository.created(
            files, roles(), hub_file(), root_signers=signers_of((1, 2)), signers=wrong, now=NOW
        )
    assert not files.held
    partner.begin()
    before = dict(files.held)

    with pytest.raises(MissingKeyError, match=role):
        repository.published(files, hub_file(min_version=2), signers=wrong, now=NOW)
    with pytest.raises(MissingKeyError, match=role):
        repository.rotated(
            files,
            roles((1, 2, 4)),
            root_signers=signers_of((1, 2)),
            signers=wrong,
            leaving=Signers((), (), ()),
            now=NOW,
        )
    assert files.held == before


def test_a_refresh_by_the_wrong_key_is_not_shown(files, partner):
    partner.begin()
    before = dict(files.held)
    partner.first = 20

    with pytest.raises(MissingKeyError, match="timestamp"):
        partner.refresh()
    assert files.held == before


@pytest.mark.parametrize("signing", [(), (1,), (1, 1), (4, 5), (1, 9)])
def test_too_few_root_keys_begin_nothing(files, signing):
    with pytest.raises(MissingKeyError):
        repository.created(
            files,
            roles(),
            hub_file(),
            root_signers=signers_of(signing),
            signers=online(),
            now=NOW,
        )
    assert not files.held


@pytest.mark.parametrize("signing", [(1, 4), (4, 5), (1, 2), (2, 3)])
def test_a_root_that_follows_is_signed_by_enough_of_both(files, partner, signing):
    partner.begin()
    before = dict(files.held)

    with pytest.raises(MissingKeyError):
        partner.rotate(signing=signing, roots=(1, 4, 5))
    assert files.held == before
    partner.rotate(signing=(1, 2, 4), roots=(1, 4, 5))
    assert "metadata/2.root.json" in files.held


def test_one_key_is_enough_for_a_beginner_and_grows_into_three(files, tmp_path):
    partner = Partner(files, NOW)
    repository.created(
        files,
        roles((1,), threshold=1),
        hub_file(),
        root_signers=signers_of((1,)),
        signers=online(),
        now=NOW,
    )
    partner.rotate(signing=(1, 4, 5), roots=(4, 5, 6))

    with pytest.raises(MissingKeyError):
        partner.rotate(signing=(1,), roots=(1, 2, 3))


@pytest.mark.parametrize(("roots", "threshold"), [((), 1), ((1,), 0), ((1,), 2), ((1, 1), 1)])
def test_roles_that_nobody_could_fill_are_refused(roots, threshold):
    with pytest.raises(MalformedError):
        roles(roots, threshold)


@pytest.mark.parametrize("root", [10, 11, 12])
def test_a_root_key_has_no_other_role(root):
    with pytest.raises(MalformedError):
        roles((1, 2, root))


def test_a_hub_file_that_breaks_a_rule_is_not_shown(files, partner):
    partner.begin()
    before = dict(files.held)

    with pytest.raises(MalformedError):
        partner.publish(operators=("third.example",))
    assert files.held == before


def test_a_folder_holds_what_was_written_last_for_all_to_read(tmp_path):
    folder = Folder(tmp_path / "tuf")
    (tmp_path / "tuf" / "metadata").mkdir(parents=True)
    (tmp_path / "tuf" / "metadata" / ".a.json.new").write_bytes(b"left by a crash, and longer")

    folder.write("metadata/a.json", b"one")
    folder.write("metadata/a.json", b"two")

    assert folder.read("metadata/a.json") == b"two"
    assert folder.read("metadata/b.json") is None
    assert contents(tmp_path) == {"tuf/metadata/a.json": b"two"}
    assert (tmp_path / "tuf" / "metadata" / "a.json").stat().st_mode & 0o044


def test_what_was_written_is_on_the_disk_with_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))

    Folder(tmp_path).write("a.json", b"one")

    assert synced == [(tmp_path / "a.json").stat().st_ino, tmp_path.stat().st_ino]


def test_a_file_that_could_not_be_written_is_what_it_was(tmp_path, monkeypatch):
    folder = Folder(tmp_path)
    folder.write("a.json", b"one")

    def full(_descriptor):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(OSError, match="no space"):
        folder.write("a.json", b"two")
    assert folder.read("a.json") == b"one"
