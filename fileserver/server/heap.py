"""How much freed memory the process keeps (mallopt(3), glibc alone).

Bodies come in blocks of half a megabyte. By default glibc takes such blocks from the system and gives them back, each
time a page fault for every 4 KiB; an upload in pieces of 8 MiB cost 40 times the faults of a whole one, and a seventh
more CPU. What is kept here is at most `_TRIM` for each arena.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_TRIM = 4 << 20
_MMAP = 1 << 20  # set with the other: one alone would freeze this at 128 KiB


def keep_freed_memory() -> None:
    """Give less back, for as long as the process lives."""
    if sys.platform.startswith("linux") and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM)
        library.mallopt(_M_MMAP_THRESHOLD, _MMAP)
