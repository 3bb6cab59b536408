# SPDX-License-Identifier: Apache-2.0
"""Where an engine keeps its segments: in its own memory, or in a folder that processes share."""
