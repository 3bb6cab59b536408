# SPDX-License-Identifier: Apache-2.0
"""Use cases: each function is one thing that somebody wants of the hub."""
