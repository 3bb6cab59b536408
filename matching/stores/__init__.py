# SPDX-License-Identifier: Apache-2.0
"""The shared copy, in memory and in Redis: a checkpoint and the stream after it."""
