# SPDX-License-Identifier: Apache-2.0
"""The service: the hub that platforms ask and tell."""
