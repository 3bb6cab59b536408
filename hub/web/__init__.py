# SPDX-License-Identifier: Apache-2.0
"""What both HTTP faces share: who asks, what is allowed, headers, repeats, observing."""

from flask import current_app

from hub.ports import Hub

EXTENSION = "breakwater"


def current() -> Hub:
    """The hub that serves this request."""
    hub: Hub = current_app.extensions[EXTENSION]
    return hub
