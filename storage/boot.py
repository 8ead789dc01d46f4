"""Which run of the machine this is: bytes that were not synced outlive a process, and not a power cut."""

import secrets
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """An id that is another one after each start of the machine.

    Where the system tells none, each process has its own: what was not synced is then believed of nobody else.
    """
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)
