# SPDX-License-Identifier: Apache-2.0
"""Plant a bug in a copy of the code and see whether the tests that must find it do."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.cli.places import kernels_version
from tests.planted.bugs import Bug

ROOT = Path(__file__).parents[2]
COPIED = ("hub", "matching", "federation", "tests", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
LONGEST, LONGEST_OF_ALL = 300, 1_800
"""Seconds after which tests that neither pass nor fail are taken to hang: of one bug, of all."""
PASSED, FAILED = 0, 1
"""Exit statuses of pytest; all others say that it could not run the tests."""


class NotPlantableError(Exception):
    """The text to be replaced is not in the code any more."""


@dataclass(frozen=True)
class Outcome:
    """What became of one run."""

    number: str
    verdict: str
    seconds: float
    lines: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it came out as it must."""
        return self.verdict in ("found", "passed")


def copy_code(source: Path, target: Path) -> None:
    """Copy the code and its tests, with their times, by which compiled kernels are found again."""
    target.mkdir()
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(source / name, target / name)


class Field:
    """A copy of the code, where bugs are planted one at a time and taken out again."""

    def __init__(self, origin: Path, folder: Path) -> None:
        self._origin, self._folder = origin, folder
        copy_code(origin, folder)

    def unharmed(self, tests: list[str]) -> Outcome:
        """Run tests without any bug: what fails then finds nothing."""
        environment = {"BREAKWATER_TEST_CUTS": "60"}
        status, lines, seconds = self._run(tests, environment, LONGEST_OF_ALL)
        return Outcome("none", "passed" if status == PASSED else "fails anyway", seconds, lines)

    def planted(self, bug: Bug) -> Outcome:
        """Plant a bug, run the tests that must find it, and take it out again.

        Raises:
            NotPlantableError: A text to be replaced is not there.
        """
        try:
            for edit in bug.edits:
                self._replace(edit.file, edit.old, edit.new)
            status, lines, seconds = self._run(list(bug.caught_by), bug.environment)
        finally:
            for file in {edit.file for edit in bug.edits}:
                shutil.copy2(self._origin / file, self._folder / file)
        verdict = {PASSED: "SURVIVED", FAILED: "found"}.get(status, "NOT RUN")
        return Outcome(bug.number, verdict, seconds, lines)

    def _replace(self, file: str, old: str, new: str) -> None:
        path = self._folder / file
        text = path.read_text()
        if text.count(old) != 1:
            raise NotPlantableError(f"{file} has this {text.count(old)} times, not once:\n{old}")
        path.write_text(text.replace(old, new))

    def _run(
        self, tests: list[str], environment: Mapping[str, str], longest: float = LONGEST
    ) -> tuple[int, str, float]:
        began = time.monotonic()
        words = ["-x", "-q", "--no-header", "--show-capture=no", "-p", "no:cacheprovider"]
        try:
            done = subprocess.run(  # noqa: S603  # our own tests
                [sys.executable, "-m", "pytest", "-p", "no:randomly", *words, *tests],
                cwd=self._folder,
                env=self._environment(environment),
                capture_output=True,
                text=True,
                check=False,
                timeout=longest,
            )
        except subprocess.TimeoutExpired:
            return -1, f"it hangs: {tests}", time.monotonic() - began
        return done.returncode, done.stdout[-3000:] + done.stderr[-1000:], time.monotonic() - began

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        # What measures coverage of the code itself has no business in its copies.
        foreign = ("COV_", "COVERAGE", "PYTHON")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            # A bug in a kernel would not be met by those that call it and were compiled before.
            "NUMBA_CACHE_DIR": str(
                self._folder / "numba" / kernels_version(self._folder / "matching")
            ),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self._folder),
            **more,
        }
