# SPDX-License-Identifier: Apache-2.0
"""Signed exchange between hubs."""
