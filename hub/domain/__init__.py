# SPDX-License-Identifier: Apache-2.0
"""Rules and words: what decides, without touching the world."""
