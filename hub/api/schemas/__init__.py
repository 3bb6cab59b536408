# SPDX-License-Identifier: Apache-2.0
"""The forms of what comes in and what goes out, one file a topic; also what OpenAPI is made of."""
