# SPDX-License-Identifier: Apache-2.0
"""A hub of the tests' own: the real supervisor, Valkey and granian around a tiny application.

What is asked of processes (who ends with whom, who is started again, what is said when it cannot
start) does not depend on what they serve; this one starts in a fraction of the time.
"""

import json
import os
import signal
import sys
import threading

import click

from hub.cli.exits import read_settings
from hub.cli.run import _alone, _tell
from hub.cli.serving import serve_requests
from hub.cli.starting import Commands, run_hub

SELF = (sys.executable, "-m", "tests.integration.processes.small")


class Screen:
    def made(self, made):
        click.echo(json.dumps(made))

    def ready(self):
        click.echo("READY")


def create():
    def answer(_environ, start):
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"pid": os.getpid(), "parent": os.getppid()}).encode()]

    return answer


@click.command()
@click.argument("part")
def main(part):
    settings = read_settings()
    if part == "up":
        commands = Commands(
            prepare=(*SELF, "prepare"), serve=(*SELF, "serve"), worker=(*SELF, "worker")
        )
        run_hub(settings, commands, _tell(settings), Screen())
    elif part == "prepare":
        click.echo("null")
    elif part == "serve":
        _alone(settings, prepared=True)
        serve_requests(settings, "tests.integration.processes.small:create")
    elif part == "worker":
        _alone(settings, prepared=True)
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        stop.wait()


if __name__ == "__main__":
    main()
