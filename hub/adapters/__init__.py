# SPDX-License-Identifier: Apache-2.0
"""The ports' answer outside SQL: processes, keys, logs, metrics, the private Valkey."""
