# SPDX-License-Identifier: Apache-2.0
"""How everything that hubs sign is written: canonical bytes, checked members, names."""
