# SPDX-License-Identifier: Apache-2.0
"""How a video becomes the PDQs of its frames, at the caller. `hasher` hands it what is a video.

- sniffing: whether a file is a video, by its first bytes
- values: what comes of it, and why one may be refused
- process: one fenced process a video, the caller's side
- worker, decoding: its inside
"""
