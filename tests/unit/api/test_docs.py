# SPDX-License-Identifier: Apache-2.0
"""The docs page is ours alone: vendored exactly as published, nothing fetched from elsewhere."""

import hashlib
import re
from importlib import resources

import pytest

from hub.api.docs import FILES

STATIC = resources.files("hub.api").joinpath("static")
OURS = {"docs.html", "docs.js", "vendor.lock"}


def locked():
    lines = STATIC.joinpath("vendor.lock").read_text().splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#")]
    return {name: digest for digest, name in pairs}


def test_every_vendored_file_is_locked_and_as_published():
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in STATIC.iterdir()
        if file.name not in OURS
    }

    assert found == locked()


def test_licence_and_notice_come_with_the_vendored_files():
    assert {"swagger-ui.LICENSE", "swagger-ui.NOTICE"} <= locked().keys()


@pytest.mark.parametrize("name", ["docs.html", "docs.js"])
def test_our_page_names_no_other_host_and_has_no_inline_code(name):
    text = STATIC.joinpath(name).read_text()

    assert not re.search(r"https?://|//cdn", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=", text)


def test_every_file_that_the_page_names_is_served():
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', STATIC.joinpath("docs.html").read_text()))

    assert named <= FILES.keys() | {"/openapi.json"}
