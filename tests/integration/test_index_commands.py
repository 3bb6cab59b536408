# SPDX-License-Identifier: Apache-2.0
"""``breakwater index`` and ``erase`` on a hub that runs: what Redis holds is what SQL says."""

import contextlib
import hashlib
import json
import os
import shlex
import subprocess
import sys

import pytest
from redis import Redis

from hub.demo.running import RunningHub, free_port
from tests.support.waiting import eventually

SEEN = hashlib.sha256(b"seen, and then erased").digest()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with RunningHub(tmp_path_factory.mktemp("index"), free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def first_words(hub):
    """The curl line that contributes, as the first screen shows it."""
    screen = (hub.folder / "screen.txt").read_text()
    return shlex.split(next(line for line in screen.splitlines() if line.startswith("curl ")))


@pytest.fixture(scope="module")
def kept(first_words):
    done = subprocess.run(first_words, capture_output=True, check=True, timeout=30)  # noqa: S603 - what up printed
    return json.loads(done.stdout)["id"]


@pytest.mark.usefixtures("kept")
def test_a_running_hub_agrees_with_itself(hub):
    found = settled(hub)

    assert found["ok"] is True
    assert found["rows"]["pdq"] >= 1
    assert found["samples"] == 20


@pytest.mark.usefixtures("kept")
def test_a_lost_copy_is_told_and_written_anew(hub):
    settled(hub)
    _, path = hub.valkey()
    client = Redis(unix_socket_path=path)
    [head] = list(client.scan_iter(match="*head*"))

    client.set(head, b"not a pointer")
    rebuilt = command(hub, "index", "rebuild", "--json")

    assert rebuilt.returncode == 0
    assert json.loads(rebuilt.stdout)["rows"]["pdq"] >= 1
    assert settled(hub)["ok"] is True


def test_an_unknown_indicator_cannot_be_erased(hub):
    done = command(hub, "erase", "ind_" + "a" * 26, "--yes")

    assert done.returncode == 65
    assert "There is no such indicator" in done.stderr


def test_what_is_erased_is_in_no_answer_and_the_copy_agrees(hub, kept):
    done = command(hub, "erase", kept, "--yes", "--json")

    assert json.loads(done.stdout) == {"erased": kept}
    assert settled(hub)["ok"] is True
    assert kept in (hub.folder / "data" / "erasures.log").read_text()


def test_what_is_erased_is_in_no_file_either(hub, first_words):
    words = ["Idempotency-Key: another" if "Idempotency" in one else one for one in first_words]
    said = json.loads(words[-1])
    said["item"]["codes"] = [{"signal": "sha256", "code": SEEN.hex()}]
    words[-1] = json.dumps(said)
    done = subprocess.run(words, capture_output=True, check=True, timeout=30)  # noqa: S603 - what up printed
    command(hub, "index", "rebuild")
    # The worker has folded anew; the code lies in a segment too.
    eventually(
        lambda: {"hub.db-wal", "valkey", "index"} <= holders(hub),
        lambda: f"the search finds it in {holders(hub)} alone",
    )

    command(hub, "erase", json.loads(done.stdout)["id"], "--yes")

    eventually(lambda: not holders(hub), lambda: f"it is still in {holders(hub)}")
    base = hub.folder / "data" / "index" / "base"
    eventually(base.exists, lambda: "no base was published anew")
    assert not holders(hub)
    assert settled(hub)["compared"] == ["Redis", "This machine"]


def test_without_a_hub_what_is_erased_is_in_no_segment_either(tmp_path):
    # Given a code in a segment of a hub that has ended since,
    with RunningHub(tmp_path, free_port()) as other:
        screen = (other.folder / "screen.txt").read_text()
        words = next(line for line in screen.splitlines() if line.startswith("curl "))
        given = shlex.split(words)
        said = json.loads(given[-1])
        said["item"]["codes"] = [{"signal": "sha256", "code": SEEN.hex()}]
        given[-1] = json.dumps(said)
        done = subprocess.run(given, capture_output=True, check=True, timeout=30)  # noqa: S603 - what up printed
        command(other, "index", "rebuild")
        eventually(lambda: "index" in holders(other), lambda: "it is in no segment")

    # when it is erased, then no segment holds it, though Redis has to wait for its server.
    erased = command(other, "erase", json.loads(done.stdout)["id"], "--yes")

    assert erased.returncode == 69
    assert "run breakwater index rebuild" in erased.stderr
    assert "index" not in holders(other)


def test_what_lies_on_this_machine_is_explained(hub):
    settled(hub)

    found = json.loads(command(hub, "index", "explain", "--json").stdout)
    words = command(hub, "index", "explain").stdout

    assert found["plans"]["pdq"]["codes"] == sum(
        one["codes"] for one in found["segments"] if one["signal"] == "pdq"
    )
    assert "pdq, as it would be indexed now" in words


def holders(hub):
    """What under the data folder holds the code: as SQL keeps it, or as Redis does."""
    data = hub.folder / "data"
    words = b"".join(SEEN[start : start + 8][::-1] for start in range(0, len(SEEN), 8))
    found = set()
    for path in data.rglob("*"):
        with contextlib.suppress(OSError):
            held = path.is_file() and path.read_bytes()
            if held and (SEEN in held or words in held):
                found.add(path.relative_to(data).parts[0])
    return found


def settled(hub):
    """Compare until the relay has carried the last change, but not for ever."""
    found = {}
    for _ in range(20):
        done = command(hub, "index", "verify", "--samples", "20", "--seed", "1", "--json")
        found = json.loads(done.stdout)
        if found["ok"]:
            break
    return found


def command(hub, *words):
    environment = {**os.environ, "BREAKWATER_DATA": str(hub.folder / "data")}
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "hub.cli", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
