# SPDX-License-Identifier: Apache-2.0
"""What goes between hubs: publish what members say, receive what partners say, serve the log.

Start at ``publishing`` for the way out, at ``receiving`` for the way in.
"""
