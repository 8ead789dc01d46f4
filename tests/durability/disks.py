"""File systems of a test's own, in image files: small ones to fill up, and ones whose power can be cut.

The cut is the ioctl that ext4 and XFS have for it: from that moment on nothing reaches the device, the journal least of
all, and what was not there already is lost. They need root and loop devices.
"""

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import wait_until

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN; XFS_IOC_GOINGDOWN is the same number
_NO_LOG_FLUSH = 2
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_MAKE = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system."""

    image: Path
    root: Path

    def mount(self) -> None:
        """Mount it; the journal is replayed if need be."""
        _run("mount", "-o", "loop", self.image, self.root)

    def unmount(self) -> None:
        """Unmount it, if it is mounted, whoever still uses it."""
        if f" {self.root} " not in Path("/proc/self/mountinfo").read_text():  # a stat fails while the power is off
            return
        try:
            _run("umount", self.root)
        except subprocess.CalledProcessError:
            _run("umount", "--lazy", self.root)
        # A namespace that is about to end may still have it, and who mounts it now gets it back as it is there.
        wait_until(lambda: str(self.image) not in _loop_files(), timeout_s=60)

    def cut_power(self) -> None:
        """Lose all that is not on the device. Until it is mounted again every call fails."""
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def free(self) -> int:
        """Bytes that can still be stored."""
        return shutil.disk_usage(self.root).free


@contextmanager
def loop_disk(folder: Path, size: int, kind: str = "ext4") -> Iterator[Disk]:
    """A new file system of `size` bytes, mounted; its loop device is freed with its last use.

    Skips the test where none can be made.
    """
    if os.geteuid() != 0:
        pytest.skip("only root may mount file systems")
    make, *options = _MAKE[kind]
    if shutil.which(make, path=_PATH) is None:
        pytest.skip(f"{make} is not installed")
    disk = Disk(folder / "image", folder / "mounted")
    disk.root.mkdir()
    with disk.image.open("wb") as image:
        image.truncate(size)
    _run(make, *options, disk.image)
    try:
        disk.mount()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no loop device: {error.stderr.decode()}")
    try:
        yield disk
    finally:
        disk.unmount()
        disk.image.unlink()


def another_boot(folder: Path, number: int) -> tuple[str, ...]:
    """A prefix for `running_server`: the server sees a machine that has been started again."""
    boot_id = folder / f"boot-{number}"
    boot_id.write_text(f"00000000-0000-4000-8000-{number:012}\n")
    script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
    return "unshare", "--mount", "--propagation", "slave", "sh", "-c", script, str(boot_id)


def _loop_files() -> set[str]:
    """The files that are loop devices at the moment."""
    files = set()
    for device in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # freed since it was found
            files.add(device.read_text().strip())
    return files


def _run(*words: str | Path) -> None:
    environment = {**os.environ, "PATH": _PATH}
    subprocess.run([str(word) for word in words], env=environment, capture_output=True, check=True, timeout=60)
