# SPDX-License-Identifier: Apache-2.0
"""What hubs say to each other: values, their canonical bytes, and the envelope that signs them.

Start at ``values``. Everything here is pure: bytes in, values out, and back.
"""
