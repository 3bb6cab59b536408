# SPDX-License-Identifier: Apache-2.0
"""The README's quick start, executed: what a newcomer copies has to work."""

import contextlib
import io
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from hub.demo.pictures import CONTRIBUTED, jpeg, photographs
from hub.demo.running import RunningHub, free_port
from tests.support.waiting import eventually

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    with RunningHub(folder, free_port()) as running:
        yield running


def test_the_python_lines_of_the_readme_find_an_altered_copy(hub, tmp_path, monkeypatch):
    photograph = photographs(CONTRIBUTED[:1])[CONTRIBUTED[0]]
    (tmp_path / "lure.jpg").write_bytes(jpeg(photograph))
    (tmp_path / "seen.jpg").write_bytes(jpeg(photograph.resize((300, 300)), 60))
    monkeypatch.chdir(tmp_path)
    given = {
        "url": hub.url,
        "first_key": hub.keys[0],
        "second_key": hub.keys[1],
        "set_id": hub.set_id,
    }

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(_python_block(), "README.md", "exec"), given)  # noqa: S102 - our own README

    promised = re.search(r"prints `([^`]+)`", README.read_text())
    assert promised is not None
    assert printed.getvalue().strip() == promised[1]


def test_the_curl_lines_that_up_prints_contribute_and_match(hub):
    screen = (hub.folder / "screen.txt").read_text()
    contribute, match = [line for line in screen.splitlines() if line.startswith("curl ")]

    kept = _run(contribute)

    assert kept["n"] == 1
    answer = eventually(lambda: _hit(_run(match)))  # found within a second, not within no time
    assert kept["id"] in {hit["id"] for hit in answer["hits"]}


def _python_block():
    [block] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return block


def _hit(answered):
    [answer] = answered["answers"]
    return answer if answer["answer"] == "hit" else None


def _run(line):
    done = subprocess.run(shlex.split(line), capture_output=True, check=True, timeout=30)  # noqa: S603 - what up printed
    return json.loads(done.stdout)
