# SPDX-License-Identifier: Apache-2.0
"""The rival between hubs: ``taxii2-client`` pulls indicators from ``medallion``, both as they are.

medallion holds them in memory, the only way that needs no database of others. It compares each
object of a collection with each, so the time of a first request grows with the square of their
number: on two busy cores 2,000 took 15 s, 4,000 took 68 s, and 100,000 would take half a day; in
many small collections they are no quicker (20,000: 290 s). So 2,000 are pulled here.
"""

import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from bench.engine.rivals import NoRivalsError
from bench.hubs import NotReadyError, free_port
from hub.adapters.processes import before_exec

COUNT, PAGE = 2_000, 1_000
"""Indicators that are pulled, and how many of them a page."""
PATIENCE = 30.0
USER, PASSWORD = "bench", "bench"
MOMENT = "2026-01-01T00:00:00.000Z"
MEDIA_TYPE = "application/stix+json;version=2.1"


def pulled_a_second(folder: Path, count: int = COUNT) -> float:
    """Indicators a second that the client pulls, pages and all.

    Raises:
        NoRivalsError: They are not installed.
    """
    try:
        # A rival, there on demand.
        found: Any = import_module("taxii2client.v21")
    except ImportError as error:
        raise NoRivalsError("taxii2-client and medallion are not installed.") from error
    with (
        _serving(folder, count) as address,
        found.Collection(address, user=USER, password=PASSWORD) as collection,
    ):
        began = time.perf_counter()
        pages = found.as_pages(collection.get_objects, per_request=PAGE)
        pulled = sum(len(one.get("objects", ())) for one in pages)
        seconds = time.perf_counter() - began
    if pulled != count:
        raise NotReadyError(f"medallion gave {pulled} of {count} indicators")
    return pulled / seconds


@contextmanager
def _serving(folder: Path, count: int) -> Iterator[str]:
    """Medallion with one collection; gives its address."""
    port, collection = free_port(), str(uuid.uuid4())
    address = f"http://127.0.0.1:{port}"
    data, told = folder / "medallion.json", folder / "medallion-settings.json"
    data.write_bytes(orjson.dumps(_data(address, collection, count)))
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(data),
    }
    taxii = {"max_page_size": PAGE}
    told.write_bytes(orjson.dumps({"backend": backend, "users": {USER: PASSWORD}, "taxii": taxii}))
    command = [sys.executable, "-m", "medallion.scripts.run", "--port", str(port), str(told)]
    process = subprocess.Popen(  # noqa: S603 - our own command, never a shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Nothing of a benchmark goes on when it is killed.
        preexec_fn=before_exec(signal.SIGTERM),  # noqa: PLW1509 - no other thread holds a lock here
    )
    try:
        _await(port, process)
        yield f"{address}/bench/collections/{collection}/"
    finally:
        process.kill()
        process.wait()


def _data(address: str, collection: str, count: int) -> dict[str, Any]:
    """Everything that medallion holds."""
    objects = [_indicator(number) for number in range(count)]
    manifest = [
        {"id": one["id"], "date_added": MOMENT, "version": MOMENT, "media_type": MEDIA_TYPE}
        for one in objects
    ]
    about = {
        "id": collection,
        "title": "bench",
        "can_read": True,
        "can_write": False,
        "media_types": [MEDIA_TYPE],
    }
    information = {
        "title": "bench",
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": 10_000_000,
    }
    return {
        "/discovery": {"title": "bench", "api_roots": [f"{address}/bench/"]},
        "bench": {
            "information": information,
            "status": [],
            "collections": [{**about, "objects": objects, "manifest": manifest}],
        },
    }


def _indicator(number: int) -> dict[str, object]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": MOMENT,
        "modified": MOMENT,
        "valid_from": MOMENT,
        "pattern": f"[x-pdq:value = '{number:064x}']",
        "pattern_type": "stix",
        "labels": ["grooming"],
    }


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReadyError("medallion does not start")
        time.sleep(0.05)
