# SPDX-License-Identifier: Apache-2.0
"""Who a hub is: its keys and where it is met, and how others learn of it and keep believing it.

Start at ``hubfile``, what a hub says of itself. ``pairing`` is what people exchange once, out of
band; ``repository`` shows the file under TUF's rules, ``client`` follows a partner's.
"""
