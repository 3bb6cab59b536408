# SPDX-License-Identifier: Apache-2.0
"""The face for machines: JSON in, JSON out, and an OpenAPI document of all of it.

Start at ``routes``.
"""
