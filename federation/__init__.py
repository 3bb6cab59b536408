# SPDX-License-Identifier: Apache-2.0
"""Signed exchange between hubs.

Start at ``operations``, what hubs say to each other, and ``registers``, what they agree on in the
end; ``log`` is the history that each of them shows, ``witnessing`` how others vouch for it.
"""
