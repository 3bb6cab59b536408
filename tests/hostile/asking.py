# SPDX-License-Identifier: Apache-2.0
"""Requests of the peer's to the hub under test."""

from secrets import token_bytes

from federation.transport.messages import Request
from federation.transport.signatures import new_nonce, signed_request
from hub.app import create_app
from tests.hostile.contract import HERE
from tests.hostile.peer import REQUESTS
from tests.vectors.federation.carried import OUT as CARRIED

TARGET, BUNDLES = "/fed/v1/ops?from=0", "/fed/v1/bundles"
ZIP = "application/zip"
BUNDLE = (CARRIED / "whole.zip").read_bytes()


def request(contract, *, target=TARGET, created=0, body=None):
    """A request as the peer sends it."""
    headers = () if body is None else (("Content-Type", "application/json"),)
    plain = Request("GET", f"https://{HERE}{target}", headers, body)
    nonce = new_nonce(token_bytes)
    return signed_request(plain, REQUESTS, created=contract.now + created, nonce=nonce)


def posted(contract, body, media_type=ZIP):
    """A bundle as the peer posts it."""
    plain = Request("POST", f"https://{HERE}{BUNDLES}", (("Content-Type", media_type),), body)
    return signed_request(plain, REQUESTS, created=contract.now, nonce=new_nonce(token_bytes))


def sent(contract, one):
    """The answer to a request."""
    client = create_app(contract.settings, contract.hub).test_client()
    place = one.url.removeprefix(f"https://{HERE}")
    return client.open(place, method=one.method, headers=list(one.headers), data=one.body)
