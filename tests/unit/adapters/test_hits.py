# SPDX-License-Identifier: Apache-2.0
"""Hits that wait to be settled outlive the process that wrote them down, and no other file."""

import multiprocessing
import os
import signal

import pytest

from hub.adapters.hits import RECORDS, HitJournal
from hub.ports.hits import Hit

HITS = [Hit(1, 2, 3), Hit(2**63, 5, 1_700_000_000_000)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hits"


def read(journal):
    found = []
    for file in journal.left():
        found += file.hits()
        file.close()
    return found


def killed(folder, hits):
    """A process that writes hits down and is killed."""

    def write():
        HitJournal(folder).note(hits)
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_what_a_killed_process_wrote_is_there_once(folder):
    killed(folder, HITS)

    assert read(HitJournal(folder)) == HITS
    assert read(HitJournal(folder)) == []
    assert list(folder.iterdir()) == []


def test_what_a_living_process_wrote_is_its_own(folder):
    alive = HitJournal(folder)
    alive.note(HITS)

    assert read(HitJournal(folder)) == []
    (file,) = alive.turn()
    assert read(HitJournal(folder)) == []
    assert list(file.hits()) == HITS
    file.close()
    assert list(folder.iterdir()) == []


def test_what_could_not_be_settled_is_there_for_the_next(folder):
    killed(folder, HITS)
    for file in HitJournal(folder).left():
        file.close(settled=False)

    assert read(HitJournal(folder)) == HITS


def test_more_than_a_file_holds_is_held_by_two(folder):
    many = [Hit(1, number, 7) for number in range(RECORDS + 1)]
    journal = HitJournal(folder)
    journal.note(many)

    files = journal.turn()

    assert [hit for file in files for hit in file.hits()] == many
    assert len(files) == 2
    for file in files:
        file.close()


def test_where_nobody_ever_wrote_there_is_nothing(folder):
    assert read(HitJournal(folder)) == []
