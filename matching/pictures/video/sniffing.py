# SPDX-License-Identifier: Apache-2.0
"""Whether a file is a video, by its first bytes: names say what their givers like."""

HEAD = 1024  # bytes that tell
# Pictures come in the same box as MP4.
_STILL_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"heif", b"mif1", b"msf1"})
_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"OggS",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
)
_BOXES = frozenset({b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp"})
_PACKET = 188  # bytes of an MPEG transport stream's
_SYNC = 0x47


def is_video(head: bytes) -> bool:
    """Tell whether what begins with *head*, its first kilobyte, is to be read as a video."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in _STILL_BRANDS
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    if head[4:8] in _BOXES or head.startswith(_STARTS):
        return True
    syncs = head[::_PACKET]
    return len(head) > 2 * _PACKET and all(byte == _SYNC for byte in syncs)
