# SPDX-License-Identifier: Apache-2.0
"""Finding everything within a radius, and nothing beyond it."""
