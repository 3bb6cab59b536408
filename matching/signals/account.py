# SPDX-License-Identifier: Apache-2.0
"""Accounts: the first 128 bits of a keyed digest that covers the kind of account and its value.

Telephone numbers, addresses and handles are one signal here: the key and the kind are the hub's
business, and nothing in this library can be turned back into an account.
"""

from matching.signals.signal import Signal

ACCOUNT = Signal(
    name="account",
    bits=128,
    near=0,
    strong=True,
    quality_floor=None,
    source="keyed digest (HMAC-SHA-256) made by the hub, cut to 128 bits",
)
