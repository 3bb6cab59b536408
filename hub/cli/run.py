# SPDX-License-Identifier: Apache-2.0
"""Run the hub and look at it: ``up``, ``serve``, ``worker``, ``status``, ``doctor``."""

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from hub.adapters.processes import end_with_parent
from hub.cli.exits import Exit, read_settings
from hub.cli.keyrings import given_key, key_file_option
from hub.cli.output import json_option, print_json, print_table
from hub.cli.supervising import Tell
from hub.settings import LOG_LEVELS, Settings


@click.command()
@click.option("--no-sandbox", is_flag=True, help="Make no sandbox members on a first start.")
def up(*, no_sandbox: bool) -> None:
    """Start a whole hub in the foreground: its Redis, its API and its jobs.

    Without any setting it keeps its data in ./data and listens on http://127.0.0.1:8080;
    BREAKWATER_DATA and BREAKWATER_LISTEN move it, REDIS_URL names a Redis 7.0 or Valkey of your
    own. Ctrl-C ends all of it.
    """
    from hub.cli.starting import Commands, run_hub  # noqa: PLC0415  # only this command needs it
    from hub.cli.welcome import Welcome  # noqa: PLC0415  # as above

    settings = read_settings()
    commands = Commands.without_sandbox() if no_sandbox else Commands()
    run_hub(settings, commands, _tell(settings), Welcome(settings))


@click.command()
@click.option("--prepared", is_flag=True, hidden=True, help="What is needed was checked.")
def serve(*, prepared: bool) -> None:
    """Answer requests only; REDIS_URL and the database are given, ``worker`` runs elsewhere."""
    from hub.cli.serving import serve_requests  # noqa: PLC0415  # only this command needs it

    settings = _alone(read_settings(), prepared=prepared)
    serve_requests(settings)


@click.command()
@click.option("--prepared", is_flag=True, hidden=True, help="What is needed was checked.")
def worker(*, prepared: bool) -> None:
    """Run the background jobs only; REDIS_URL and the database are given."""
    from hub.cli.serving import run_jobs  # noqa: PLC0415  # only this command needs it

    settings = _alone(read_settings(), prepared=prepared)
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda _number, _frame: stop.set())
    run_jobs(settings, stop)


@click.command()
@key_file_option
@json_option
def status(*, key_file: Path | None, as_json: bool) -> None:
    """Ask the running hub how it is; ends with 69 if it does not answer. A key tells more."""
    from hub.cli.asking import ask_status  # noqa: PLC0415  # only this command needs it

    found = ask_status(read_settings().listen, given_key(key_file))
    if as_json:
        print_json(found)
    else:
        print_table(("what", "how"), _flat(found))
    if not found["ready"]:
        raise SystemExit(Exit.UNAVAILABLE)


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Check this machine and the hub's data; ends with 1 if something is wrong."""
    from hub.cli.checks import Verdict, findings  # noqa: PLC0415  # only this command needs it

    found = list(findings(read_settings()))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(
            ("check", "verdict", "detail"), [(f.check, f.verdict, f.detail) for f in found]
        )
    if any(one.verdict is Verdict.FAILED for one in found):
        raise SystemExit(Exit.FOUND)


def _flat(found: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _alone(settings: Settings, *, prepared: bool) -> Settings:
    """Do what ``up`` would have done for one of its processes."""
    if prepared:
        # Where the kernel does not do it, a thread watches whether ``up`` still lives.
        end_with_parent(os.getppid())
        return settings
    from hub.cli import preparing  # noqa: PLC0415  # only where nobody else has checked

    preparing.require_redis(settings, preparing.START_PATIENCE)
    preparing.require_schema(settings)
    return settings


def _tell(settings: Settings) -> Tell:
    """Make what writes the supervisor's few lines, without loading a library for it."""
    threshold = LOG_LEVELS.index(settings.log_level)

    def tell(level: str, event: str, **fields: object) -> None:
        if LOG_LEVELS.index(level) >= threshold:
            now = datetime.now(UTC).isoformat()
            line = {**fields, "event": event, "level": level, "timestamp": now}
            click.echo(json.dumps(line), err=True)

    return tell
