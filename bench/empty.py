# SPDX-License-Identifier: Apache-2.0
"""The yardstick of what HTTP itself costs: a Flask view that does nothing, served like the hub."""

import os

from flask import Flask

from hub.cli.serving import serve_requests
from hub.settings import Settings


def create() -> Flask:
    """Make the application."""
    app = Flask("empty", static_folder=None)

    @app.post("/v1/match")
    def empty() -> str:
        return ""

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        return {"status": "ready"}

    return app


if __name__ == "__main__":
    serve_requests(Settings.read(os.environ), target="bench.empty:create")
