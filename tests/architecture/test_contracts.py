# SPDX-License-Identifier: Apache-2.0
"""The contracts of .importlinter hold, and each of them catches what it is for."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "matching", "federation")

STRANGERS = "The hub stands on two libraries that do not know it, nor each other"
HUB = "Inside the hub, imports point down"
MATCHING = "Inside matching, imports point down; pictures are the caller's business"
FEDERATION = "Inside federation, imports point down"
CLIENT = "The client knows matching and nothing of the hub"
CALLERS = "The hub does not call itself over HTTP"
STORAGE = "SQL is chosen in hub.wiring"
ADAPTERS = "Adapters are chosen in hub.wiring"
PURE = "Rules are free of frameworks and I/O"
CIRCLES = "No package imports in a circle"

BREACHES = {
    "a library knows the hub": ("matching/errors.py", "import hub.domain", STRANGERS),
    "one library knows the other": ("federation/__init__.py", "import matching", STRANGERS),
    "a rule reaches for its port": ("hub/domain/standing.py", "import hub.ports", HUB),
    "a use case reaches for SQL": ("hub/services/matches.py", "import hub.storage", HUB),
    "SQL reaches for a use case": ("hub/storage/tables.py", "import hub.services", HUB),
    "an adapter reaches for SQL": ("hub/adapters/secrets.py", "import hub.storage", HUB),
    "what is shared knows one face": ("hub/web/errors.py", "import hub.api", HUB),
    "a late import inside a function": (
        "hub/domain/sharing.py",
        "def late() -> None:\n    from hub.services import matches",
        HUB,
    ),
    "a drawer without a place": ("hub/utils.py", "", HUB),
    "a port knows a search": ("matching/ports.py", "import matching.search", MATCHING),
    "a search hashes pictures": (
        "matching/search/__init__.py",
        "import matching.pictures",
        MATCHING,
    ),
    "a drawer in the library": ("matching/helpers.py", "", MATCHING),
    "a key knows who signs with it": (
        "federation/keys.py",
        "import federation.operations",
        FEDERATION,
    ),
    "a log knows what is said in it": (
        "federation/log/merkle.py",
        "import federation.operations",
        FEDERATION,
    ),
    "a drawer in federation": ("federation/helpers.py", "", FEDERATION),
    "a view opens the database": ("hub/api/errors.py", "import hub.storage.database", STORAGE),
    "the application chooses SQL": ("hub/app.py", "import hub.storage.work", STORAGE),
    "a job makes its own Redis": ("hub/jobs/loops.py", "import hub.adapters.redis", ADAPTERS),
    "what is shared reads a clock": ("hub/web/gate.py", "import hub.adapters.clock", ADAPTERS),
    "the client knows a rule": ("hub/client/values.py", "import hub.domain.accounts", CLIENT),
    "the client loads the database": ("hub/client/__init__.py", "import sqlalchemy", CLIENT),
    "a service calls over HTTP": ("hub/services/matches.py", "import hub.client", CALLERS),
    "a rule knows HTTP": ("hub/domain/errors.py", "from flask import abort", PURE),
    "a rule knows SQL": ("hub/domain/accounts.py", "import sqlalchemy.orm", PURE),
    "a signal knows Redis": ("matching/signals/pdq.py", "import redis", PURE),
    "an operation knows HTTP": ("federation/operations/values.py", "import httpx2", PURE),
    "a signature knows who sends it": (
        "federation/transport/signatures.py",
        "import httpcore2",
        PURE,
    ),
    "a register knows SQL": ("federation/registers.py", "import sqlalchemy", PURE),
    "a circle of two files": ("hub/domain/standing.py", "import hub.domain.entries", CIRCLES),
}


def test_every_contract_is_kept():
    checked = lint_imports(ROOT)

    assert checked.returncode == 0, checked.stdout
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_caught_by_the_contract_it_breaks(house, breach):
    place, line, contract = BREACHES[breach]

    with written(house / place, line):
        checked = lint_imports(house)

    assert checked.returncode == 1
    assert f"{contract} BROKEN" in checked.stdout, checked.stdout


def test_the_copy_is_whole_before_and_after_each_breach(house):
    assert lint_imports(house).returncode == 0


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=ignore_all_but_code)
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


def ignore_all_but_code(folder, names):
    return [n for n in names if not (Path(folder, n).is_dir() or n.endswith(".py"))]


@contextmanager
def written(path: Path, line: str) -> Iterator[None]:
    """Add a line to a file, or make the file, for as long as the block lasts."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        yield
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    # A process of its own: the checker must see the copy's packages, not those imported here.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 (our own tool)
