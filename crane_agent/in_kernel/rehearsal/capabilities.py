"""What root may do beyond others: the copy keeps what is about files, and gives up the rest."""

from __future__ import annotations

import ctypes
import struct

from .system_calls import CAPBSET_DROP, SystemCallFailed, call, prctl

_ABOUT_FILES = (0, 1, 2, 3, 4)  # CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID
_LAST = 63
_VERSION_3 = 0x20080522


def drop() -> None:
    """Give up every capability but those about files.

    Raises:
        SystemCallFailed: Linux refused.
    """
    for capability in range(_LAST + 1):
        if capability not in _ABOUT_FILES:
            try:
                prctl(CAPBSET_DROP, capability)
            except SystemCallFailed:
                break  # Behind the last one, or nothing to drop: this process is not root.
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0), 8)
    held = ctypes.create_string_buffer(24)
    call("capget", header, held)
    kept = sum(1 << capability for capability in _ABOUT_FILES)
    words = list(struct.unpack("=6I", held.raw))
    words = [word & (kept if place < 3 else 0) for place, word in enumerate(words)]
    call("capset", header, ctypes.create_string_buffer(struct.pack("=6I", *words), 24))
