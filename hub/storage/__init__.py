# SPDX-License-Identifier: Apache-2.0
"""The ports' answer in SQL: where the truth is kept."""
