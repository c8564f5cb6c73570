"""What root may do beyond others: the copy keeps what is about files, and gives up the rest.

Who makes a user namespace has them all there, and would be let where the kernel is not.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Tuple

from .system_calls import CAPBSET_DROP, SystemCallFailed, call, prctl

_ABOUT_FILES = (0, 1, 2, 3, 4)  # CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID
_LAST = 63
_VERSION_3 = 0x20080522


def held() -> int:
    """Return the capabilities that this process can use, a bit for each.

    Raises:
        SystemCallFailed: Linux refused.
    """
    words = struct.unpack("=6I", _asked()[1].raw)
    return int(words[0] | words[3] << 32)


def drop(before: int) -> None:
    """Give up every capability but those about files.

    Args:
        before: Those that this process had before it went behind the fence; it keeps no other.

    Raises:
        SystemCallFailed: Linux refused.
    """
    for capability in range(_LAST + 1):
        if capability not in _ABOUT_FILES:
            try:
                prctl(CAPBSET_DROP, capability)
            except SystemCallFailed:
                break  # Behind the last one, or nothing to drop: this process is not root.
    header, found = _asked()
    kept = before & sum(1 << capability for capability in _ABOUT_FILES)
    words = [word & (kept if place < 3 else 0) for place, word in enumerate(struct.unpack("=6I", found.raw))]
    call("capset", header, ctypes.create_string_buffer(struct.pack("=6I", *words), 24))


def _asked() -> Tuple[Any, Any]:
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0), 8)
    found = ctypes.create_string_buffer(24)  # effective, permitted, inheritable; then the upper halves
    call("capget", header, found)
    return header, found
