# SPDX-License-Identifier: Apache-2.0
"""The story that ``make demo`` tells: the main job on real photographs, through the client."""
