# SPDX-License-Identifier: Apache-2.0
"""A platform that matches at home: it takes what the feed gives and asks nothing else."""

from datetime import datetime
from typing import Any

from tests.support.house import Caller


class Home:
    """One follower and what it holds, by indicator and set."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        self._cursor = self._get("/v1/changes")["cursor"]

    def follow(self) -> None:
        """Take everything that is new."""
        while True:
            page = self._get(f"/v1/changes?cursor={self._cursor}")
            for resync in page.get("resync", ()):
                self._drop(resync["set"])
                if resync["is"] == "gained":
                    self._take(resync["set"])
            for record in page["records"]:
                self._keep(record)
            self._cursor = page["cursor"]
            if not page["records"] and "resync" not in page:
                return

    def look_again(self, now: datetime) -> None:
        """Ask what became of what time alone has changed."""
        for (indicator, set_id), record in self.held.items():
            if record["until"] and datetime.fromisoformat(record["until"]) <= now:
                told = self._get(f"/v1/indicators/{indicator}")["entries"]
                record.update(next(entry for entry in told if entry["set"] == set_id))

    def _take(self, set_id: str) -> None:
        path, cursor = f"/v1/sets/{set_id}/snapshot", ""
        while True:
            page = self._get(path + cursor)
            for record in page["records"]:
                self._keep(record)
            if page["cursor"] is None:
                return
            cursor = f"?cursor={page['cursor']}"

    def _keep(self, record: dict[str, Any]) -> None:
        entry = record["id"], record["set"]
        if record["gone"]:
            self.held.pop(entry, None)
        else:
            self.held[entry] = record

    def _drop(self, set_id: str) -> None:
        self.held = {entry: one for entry, one in self.held.items() if entry[1] != set_id}

    def _get(self, path: str) -> Any:
        answer = self.caller.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json
