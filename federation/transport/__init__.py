# SPDX-License-Identifier: Apache-2.0
"""The way to a partner and back: HTTP that trusts nobody, and requests that are signed.

Start at ``http``, the port's answer over the network; ``addresses`` says whom it may call,
``sockets`` holds it to its time, ``heads`` and ``unpacking`` to what it may be told,
``signatures`` says who speaks (``messages`` and ``claims`` are its values).
``memory`` is the same without a network.
"""
