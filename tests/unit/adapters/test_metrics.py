# SPDX-License-Identifier: Apache-2.0
import math
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hub.adapters import metrics as adapter
from hub.adapters.metrics import FOLDER, Metrics, Together, expose
from hub.demo.running import free_port
from tests.support.waiting import eventually

PART = """
import sys
from hub.adapters.metrics import Metrics
metrics = Metrics()
metrics.request("/v1/match", "POST", 200, 0.01)
metrics.index({"pdq": int(sys.argv[1])}, position=int(sys.argv[1]), lag_seconds=0.5)
print("told", flush=True)
sys.stdin.read()
"""


def samples(figures):
    families = text_string_to_metric_families(generate_latest(figures).decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_partner_that_never_said_that_it_is_alive_is_not_fresh():
    metrics = Metrics()
    for hub, ago in (("hub-a.example", 5), ("hub-b.example", None)):
        metrics.partner(
            hub,
            behind=0,
            alive_seconds=ago,
            weight={"good": True},
            witnessed=ago is not None,
            failing=ago is None,
        )

    found = samples(metrics.registry)

    name = "breakwater_partner_alive_seconds"
    assert found[name, ("partner", "hub-a.example")] == 5
    assert found[name, ("partner", "hub-b.example")] == math.inf
    for name, of_b in (("witnessed", 0), ("failing", 1)):
        assert found[f"breakwater_partner_{name}", ("partner", "hub-a.example")] == 1 - of_b
        assert found[f"breakwater_partner_{name}", ("partner", "hub-b.example")] == of_b


def test_what_happens_is_counted_under_its_own_name():
    metrics = Metrics()

    metrics.request("/v1/match", "POST", 200, 0.003)
    metrics.match({"pdq": 5, "md5": 1}, 0.002)
    metrics.change_applied(0.12)
    metrics.change_applied(-3.0)
    metrics.index({"pdq": 7}, position=9, lag_seconds=0.25)
    metrics.relayed(9)
    metrics.linked(2, 0.5)
    metrics.probed(0.2)
    metrics.probed(None)
    metrics.redis(reachable=True)
    metrics.job("relay", failed=True)

    found = samples(metrics.registry)
    labels = (("method", "POST"), ("route", "/v1/match"), ("status", "200"))
    assert found["breakwater_requests_total", *labels] == 1
    assert found["breakwater_codes_matched_total", ("signal", "pdq")] == 5
    assert found["breakwater_match_seconds_count",] == 1
    # A clock that was set back makes no negative time.
    assert found["breakwater_time_to_match_seconds_sum",] == pytest.approx(0.12)
    assert found["breakwater_index_rows", ("signal", "pdq")] == 7
    assert found["breakwater_index_position",] == found["breakwater_relay_position",] == 9
    assert found["breakwater_index_lag_seconds",] == 0.25
    assert found["breakwater_links_behind",] == 2
    assert found["breakwater_probes_total", ("outcome", "found")] == 1
    assert found["breakwater_probes_total", ("outcome", "missed")] == 1
    assert found["breakwater_redis_up",] == 1
    assert found["breakwater_job_rounds_total", ("job", "relay"), ("outcome", "failed")] == 1


@pytest.fixture
def parts(tmp_path):
    """Two processes of one hub that told their figures and still live."""
    running: list[Any] = [
        subprocess.Popen(  # noqa: S603 - the text above
            [sys.executable, "-c", PART, str(figure)],
            cwd=Path(__file__).parents[3],
            env={**os.environ, FOLDER: str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for figure in (10, 30)
    ]
    for process in running:
        assert process.stdout.readline() == b"told\n"
    yield running
    for process in running:
        process.communicate()


def test_figures_of_all_processes_become_one(parts, tmp_path):
    found = samples(Together(tmp_path))

    labels = (("method", "POST"), ("route", "/v1/match"), ("status", "200"))
    assert len(parts) == 2
    assert found["breakwater_requests_total", *labels] == 2
    # The slowest of them: whoever asks that one sees no more.
    assert found["breakwater_index_position",] == 10
    assert found["breakwater_index_rows", ("signal", "pdq")] == 10


def test_dead_process_leaves_its_counts_but_not_its_state(parts, tmp_path):
    parts[0].communicate()

    found = samples(Together(tmp_path))

    labels = (("method", "POST"), ("route", "/v1/match"), ("status", "200"))
    assert found["breakwater_requests_total", *labels] == 2
    assert found["breakwater_index_position",] == 30


@pytest.mark.usefixtures("parts")
def test_second_process_takes_over_the_address_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(adapter, "RETRY_SECONDS", 0.05)
    port = free_port()
    first, second = threading.Event(), threading.Event()
    one = expose("127.0.0.1", port, first)
    other = expose("127.0.0.1", port, second)

    def shown():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                return answer.read().decode()
        except OSError:
            return None

    assert "breakwater_requests_total" in eventually(shown)
    first.set()
    one.join()
    assert "breakwater_requests_total" in eventually(shown)
    second.set()
    other.join()
    assert shown() is None
