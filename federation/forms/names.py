# SPDX-License-Identifier: Apache-2.0
"""How things are named in what hubs say: patterns, and the checks made of them."""

import unicodedata
from typing import Any

from federation.forms.fields import text

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DNS = rf"(?=[a-z0-9.-]{{1,253}}\Z){LABEL}(?:\.{LABEL})+"
ID = r"[a-z2-7]{26}"

hub_name = text(DNS, "a DNS-style name in lower case")
author_name = text(rf"(?=.{{1,280}}\Z){LABEL}(?:\.{LABEL})+/[mo]/[a-z2-7]{{16}}", "an author")
operation_id = text(r"[0-9a-f]{64}", "64 lower-case hex digits")
sha256_hex = operation_id
set_id = text(rf"set_{ID}", "the id of a set")
indicator_id = text(rf"ind_{ID}", "the id of an indicator")
entry_id = text(
    rf"(?=.{{1,320}}\Z){LABEL}(?:\.{LABEL})+/ind_{ID}/set_{ID}",
    "a hub, and the ids of an indicator of its and of a set",
)
exclude_id = text(rf"exc_{ID}", "the id of an exclusion")
revocable_id = text(rf"(?:ind|exc)_{ID}", "the id of an indicator or of an exclusion")
term = text(r"[a-z0-9][a-z0-9+:.-]{0,63}", "a term in lower case")
_printed = text(
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}", "a printed text of 1 to 200 characters"
)


def free(value: Any) -> str:
    """A check of a text in anybody's words: of one line, and composed (Unicode's NFC)."""
    checked = _printed(value)
    if not unicodedata.is_normalized("NFC", checked):
        raise ValueError("a text in Unicode's form NFC")
    return checked
