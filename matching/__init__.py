# SPDX-License-Identifier: Apache-2.0
"""Nearest match over perceptual hashes."""
