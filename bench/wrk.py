# SPDX-License-Identifier: Apache-2.0
"""Load by wrk: keep-alive connections that each send the next request as soon as they can."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import orjson

SCRIPT = """
local bodies = {}
for line in io.lines(%(bodies)s) do bodies[#bodies + 1] = line end
local headers = {
  ["Authorization"] = %(authorization)s,
  ["Content-Type"] = "application/json",
}
local next = 0
local requests = {}

function init()
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", "/v1/match", headers, body)
  end
end

function request()
  next = next %% #requests + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'FIGURES {"requests": %%d, "micros": %%d, "p50": %%d, "p99": %%d, "errors": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class NoLoadError(Exception):
    """There is no wrk, or requests failed: its figures would mean nothing."""


@dataclass(frozen=True)
class Figures:
    """What a load came to; latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Load:
    """The requests of a load, written down for wrk."""

    script: Path

    @staticmethod
    def write(folder: Path, name: str, key: str, bodies: list[bytes]) -> "Load":
        """Write a script that sends these bodies in turn."""
        lines = folder / f"{name}.ndjson"
        lines.write_bytes(b"\n".join(bodies))
        script = folder / f"{name}.lua"
        values = {"bodies": _quoted(str(lines)), "authorization": _quoted(f"Bearer {key}")}
        script.write_text(SCRIPT % values)
        # It holds a key of a hub that lives as long as this folder.
        script.chmod(0o600)
        return Load(script)

    def run(self, port: int, *, seconds: int, connections: int = 4) -> Figures:
        """Send for so many seconds.

        Raises:
            NoLoadError: wrk is missing, or a request failed.
        """
        wrk = shutil.which("wrk")
        if wrk is None:
            raise NoLoadError("Install wrk: apt-get install wrk.")
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        done = subprocess.run(  # noqa: S603 - our own command, never a shell
            [*command, "-s", str(self.script), f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=True,
        )
        line = next(x for x in done.stdout.splitlines() if x.startswith("FIGURES "))
        told = orjson.loads(line.removeprefix("FIGURES "))
        if told["errors"] or not told["requests"]:
            raise NoLoadError(f"{told['errors']} of {told['requests']} requests failed.")
        per_second = told["requests"] / told["micros"] * 1e6
        return Figures(per_second, told["p50"] / 1000, told["p99"] / 1000)


def _quoted(text: str) -> str:
    """A Lua string of the same text; ours have neither quotes nor control characters."""
    return orjson.dumps(text).decode()
