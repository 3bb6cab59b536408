# SPDX-License-Identifier: Apache-2.0
"""``python -m hub.cli``: the same as ``breakwater``, for the processes that it starts itself."""

from hub.cli import main

main()
