# SPDX-License-Identifier: Apache-2.0
"""A console that stays open: commands of ``breakwater``, typed one after the other.

``python -m hub.demo.console`` takes each as a line of JSON and answers with one. A command of its
own process takes a second to load; somebody who types many waits for that once.
"""

import contextlib
import io
import json
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.demo.running import DemoError


@dataclass
class Console:
    """An open console of a hub.

    Args:
        environment: names the hub's data.
        within: words before its command that say where it stands; none: here.
    """

    environment: Mapping[str, str]
    within: tuple[str, ...] = ()
    _process: "subprocess.Popen[str] | None" = None

    def type(self, *words: str) -> Any:
        """Type a command; returns what it prints as JSON.

        Raises:
            DemoError: It fails.
        """
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*self.within, sys.executable, "-m", "hub.demo.console"],
                env=dict(self.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        asked, said = self._process.stdin, self._process.stdout
        if asked is None or said is None:
            raise DemoError("The console is closed.")
        asked.write(json.dumps(words) + "\n")
        asked.flush()
        answer = json.loads(said.readline() or '{"failed": "The console died.", "printed": ""}')
        if answer["failed"]:
            raise DemoError(f"breakwater {' '.join(words)} failed:\n{answer['failed']}")
        return json.loads(answer["printed"])

    def close(self) -> None:
        """Close it; who ends otherwise closes it too, by no longer writing to it."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def main() -> None:
    """Run what is typed until nobody types any more."""
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(_run(json.loads(line))) + "\n")
        answers.flush()


def _run(words: list[str]) -> dict[str, str]:
    printed, complained = io.StringIO(), io.StringIO()
    sys.argv = ["breakwater", *words, "--json"]
    status: object = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            # The architecture keeps us from importing the command line: we are beside it.
            runpy.run_module("hub.cli", run_name="__main__")
        except SystemExit as ended:
            status = ended.code
    failed = (complained.getvalue() or f"status {status}") if status else ""
    return {"printed": printed.getvalue(), "failed": failed}


if __name__ == "__main__":
    main()
