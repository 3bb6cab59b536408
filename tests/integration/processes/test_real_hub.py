# SPDX-License-Identifier: Apache-2.0
"""The hub itself, as a newcomer and then an operator meets it: real processes, real data."""

import json
import re
import shlex
import urllib.error
import urllib.request

import pytest

from hub.cli.exits import Exit
from hub.demo.running import free_port
from tests.integration.processes.conftest import Running
from tests.support.processes import gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


def real(data):
    return Running(data, free_port(), module="hub.cli", ready="Ctrl-C ends it.\n")


def again(hub):
    """End a hub and start it anew on the same data and address."""
    hub.close()
    return hub.start()


def shown_requests(screen):
    """The curl lines of a first screen, as requests to send."""
    found = []
    for line in re.findall(r"^curl .*$", screen, re.MULTILINE):
        words = shlex.split(line)
        headers = dict(words[i + 1].split(": ", 1) for i, w in enumerate(words) if w == "-H")
        body = words[words.index("-d") + 1].encode()
        url = next(word for word in words if word.startswith("http"))
        found.append(urllib.request.Request(url, body, headers))  # noqa: S310 - our own
    return found


def request(url, key, body, once=None):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if once is not None:
        headers["Idempotency-Key"] = once
    return urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - our own


def sent(asked):
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return None, None


def is_hit(question):
    status, answer = sent(question)
    return status == 200 and answer["complete"] and answer["answers"][0]["answer"] == "hit"


def is_miss(question):
    status, answer = sent(question)
    return status == 200 and answer["complete"] and answer["answers"][0]["answer"] == "none"


def tried(data):
    """A hub on its first start, its screen, and one contribution made as the screen says."""
    hub = real(data)
    hub.metrics = free_port()
    hub.environment["BREAKWATER_METRICS_LISTEN"] = f"127.0.0.1:{hub.metrics}"
    hub.start()
    hub.first_screen = hub.screen
    contribute, hub.question = shown_requests(hub.screen)
    status, hub.contributed = sent(contribute)
    assert status == 201
    return hub


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """One hub for all tests that leave it as they found it."""
    hub = tried(tmp_path_factory.mktemp("hub") / "data")
    yield hub
    hub.close()


@pytest.fixture
def own(tmp_path):
    """A hub that a test may do anything to."""
    hub = tried(tmp_path / "data")
    yield hub
    hub.close()


def test_first_screen_holds_all_that_is_needed_to_try_it(first):
    screen = first.first_screen

    assert f"http://127.0.0.1:{first.port}\n" in screen
    assert f"http://127.0.0.1:{first.port}/docs" in screen
    assert len(set(re.findall(r"bw_test_\w+", screen))) == 2
    assert len(re.findall(r"^curl ", screen, re.MULTILINE)) == 2
    assert len(screen.splitlines()) <= 24


def test_what_the_screen_says_to_contribute_is_found_by_the_other(first):
    eventually(lambda: is_hit(first.question))


def test_documentation_page_is_where_the_screen_says(first):
    with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/docs") as page:
        assert page.status == 200
        assert b"openapi" in page.read()


@pytest.mark.parametrize("role", ["valkey", "serve", "granian", "worker"])
def test_killed_process_comes_back_and_the_answer_is_right(first, role):
    killed = first.named(role)[0]

    killed.kill()

    eventually(lambda: gone(killed) and first.named(role))
    eventually(lambda: is_hit(first.question))


def test_killed_hub_leaves_nobody_and_the_next_finds_all_data(first):
    below = first.below()

    first.kill()

    eventually(first.refuses)
    eventually(lambda: all(gone(process) for process in below))
    again(first)
    assert "bw_test_" not in first.screen
    eventually(lambda: is_hit(first.question))


def test_nothing_secret_is_written_to_the_log(first):
    again(first)
    eventually(lambda: is_hit(first.question))
    body = json.loads(first.question.data)
    code = body["items"][0]["codes"][0]["code"]
    refused = urllib.request.Request(  # noqa: S310 - our own
        first.question.full_url, json.dumps({**body, code: code}).encode(), first.question.headers
    )
    assert sent(refused)[0] == 422

    first.end()
    log = first.process.stderr.read()
    again(first)

    assert '"event":"request"' in log
    assert all(json.loads(line) for line in log.splitlines())
    assert code not in log
    assert not re.search(r"bw_test_\w+", log)


def test_doctor_finds_nothing_wrong_with_a_hub_at_work(first):
    done = first.command("doctor", "--json")

    found = {one["check"]: one["verdict"] for one in json.loads(done.stdout)}
    assert done.returncode == Exit.OK
    assert set(found.values()) == {"ok"}
    assert found.keys() >= {"python", "pdqhash", "keys", "redis", "schema", "durability", "disk"}


def test_status_tells_whether_the_hub_answers(first):
    up = first.command("status", "--json")
    down = first.command("status", "--json", BREAKWATER_LISTEN=f"127.0.0.1:{free_port()}")

    assert (up.returncode, json.loads(up.stdout)["ready"]) == (Exit.OK, True)
    assert (down.returncode, json.loads(down.stdout)["ready"]) == (Exit.UNAVAILABLE, False)


def test_status_with_a_key_tells_how_fresh_the_index_is(first):
    key = re.findall(r"bw_test_\w+", first.first_screen)[0]

    known = first.command("status", "--json", BREAKWATER_KEY=key)
    unknown = first.command("status", "--json", BREAKWATER_KEY="bw_test_none")

    assert json.loads(known.stdout)["status"]["complete"] is True
    assert "refused" in json.loads(unknown.stdout)["status"]


def test_metrics_are_shown_on_their_own_address_and_name_nobody(first):
    eventually(lambda: is_hit(first.question))

    def shown():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{first.metrics}/metrics") as page:
                return page.read().decode()
        except OSError:
            return ""

    def all_told(figures):
        # What a process has not come to yet is not shown.
        told = ("redis_up 1.0", 'index_rows{signal="pdq"}', "time_to_match_seconds_count")
        return figures if all(f"breakwater_{one}" in figures for one in told) else None

    figures = eventually(lambda: all_told(shown()))
    labels = set(re.findall(r'"([^"]*)"', figures))
    assert 'breakwater_requests_total{method="POST",route="/v1/match",status="200"}' in figures
    assert not [label for label in labels if re.search(r"[0-9a-f]{16}|bw_|op_|mem_|@", label)]


def test_restored_hub_has_a_new_timeline_old_data_and_no_erased_one(own, tmp_path):
    copy = tmp_path / "copy"
    backup = own.command("backup", str(copy), "--keys", str(tmp_path / "keys"), "--json")
    assert backup.returncode == Exit.OK, backup.stderr
    before = json.loads(backup.stdout)

    # While the hub runs, nobody restores under it.
    busy = own.command("restore", str(copy), "--force")
    assert busy.returncode == Exit.BUSY

    own.close()
    refused = own.command("restore", str(copy))
    assert refused.returncode == Exit.CANNOT_CREATE
    restored = own.command("restore", str(copy), "--force", "--json")
    assert restored.returncode == Exit.OK, restored.stderr
    after = json.loads(restored.stdout)
    assert after["timeline"] != before["timeline"]
    assert after["erased"] == 0
    own.start()
    eventually(lambda: is_hit(own.question))

    # What is erased after the copy was made does not come back with it.
    (own.data / "erasures.log").write_text(f"{own.contributed['id']}\n")
    own.close()
    restored = own.command("restore", str(copy), "--force", "--json")
    assert json.loads(restored.stdout)["erased"] == 1
    own.start()
    eventually(lambda: is_miss(own.question))


def test_copy_is_not_put_beside_other_keys(first, tmp_path):
    copy = tmp_path / "copy"
    assert first.command("backup", str(copy)).returncode == Exit.OK
    other = real(tmp_path / "other")

    without = other.command("restore", str(copy))

    assert without.returncode == Exit.DENIED
    assert "key" in without.stderr
    assert not (other.data / "hub.db").exists()
