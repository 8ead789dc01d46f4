"""Files that are not the worker's, by every name for them, and the one that it may only read."""

import ctypes
import mmap
import os

from tests.workers.world import ATTEMPTS, HERE, Attempt, call, read, write


def _paths() -> None:
    """Files that are not the worker's, read, written, changed and listed."""
    files: dict[str, Attempt] = {
        "read_outside": lambda w: read(w.secret),
        "read_outside_by_dots": lambda w: read(f"{w.folder}/../{os.path.relpath(w.secret, os.path.dirname(w.folder))}"),
        "read_outside_from_the_working_folder": lambda w: read(os.path.relpath(w.secret)),
        "read_outside_by_proc_root": lambda w: read(f"/proc/self/root{w.secret}"),
        "read_outside_by_proc_cwd": lambda w: read(f"/proc/self/cwd/{os.path.relpath(w.secret, w.folder)}"),
        "read_passwords": lambda w: read("/etc/passwd"),
        "read_own_environment": lambda w: read("/proc/self/environ"),
        "read_own_maps": lambda w: read("/proc/self/maps"),
        "write_own_memory": lambda w: write("/proc/self/mem", ""),
        "read_the_log_of_the_kernel": lambda w: read("/dev/kmsg"),
        "read_the_libraries": lambda w: read(os.__file__),
        "open_the_terminal": lambda w: read("/dev/tty"),
        "open_the_null_device": lambda w: read("/dev/null"),
        "list_root": lambda w: os.listdir("/"),
        "list_outside": lambda w: os.listdir(w.outside),
        "list_processes": lambda w: os.listdir("/proc"),
        "list_own_descriptors": lambda w: os.listdir("/proc/self/fd"),
        "list_the_folder_above": lambda w: os.listdir(f"{w.folder}/.."),
        "open_outside_as_a_folder": lambda w: os.open(w.outside, os.O_RDONLY | os.O_DIRECTORY),
        "write_outside": lambda w: write(f"{w.outside}/new", "x"),
        "append_outside": lambda w: write(w.secret, "x", how="a"),
        "truncate_outside": lambda w: os.truncate(w.secret, 0),
        "write_in_tmp": lambda w: write("/tmp/escaped", "x"),
        "write_in_shared_memory": lambda w: write("/dev/shm/escaped", "x"),
        "unnamed_file_outside": lambda w: os.open(w.outside, os.O_RDWR | os.O_TMPFILE),
        "remove_outside": lambda w: os.unlink(w.secret),
        "remove_folder_outside": lambda w: os.rmdir(f"{w.outside}/empty"),
        "make_folder_outside": lambda w: os.mkdir(f"{w.outside}/new"),
        "rename_into_our_folder": lambda w: os.rename(w.secret, f"{w.folder}/stolen"),
        "rename_out_of_our_folder": lambda w: os.rename(w.own_file(), f"{w.outside}/new"),
        "exchange": lambda w: call(316, 276, HERE, w.own_file().encode(), HERE, w.secret.encode(), 2),
        "hard_link_in": lambda w: os.link(w.secret, f"{w.folder}/link"),
        "hard_link_out": lambda w: os.link(w.own_file(), f"{w.outside}/link"),
        "hard_link_of_the_input": lambda w: os.link(f"/proc/self/fd/{w.input}", f"{w.folder}/link"),
        "symbolic_link": lambda w: os.symlink(w.secret, f"{w.folder}/symbolic"),
        "symbolic_link_outside": lambda w: os.symlink(w.folder, f"{w.outside}/symbolic"),
        "chmod_outside": lambda w: os.chmod(w.secret, 0o777),
        "chown_outside": lambda w: os.chown(w.secret, os.getuid(), os.getgid()),
        "touch_outside": lambda w: os.utime(w.secret),
        "attribute_outside": lambda w: os.setxattr(w.secret, "user.mine", b"1"),
        "device_in_our_folder": lambda w: os.mknod(f"{w.folder}/device", 0o20600, os.makedev(1, 1)),
        "pipe_in_our_folder": lambda w: os.mkfifo(f"{w.folder}/pipe"),
        "chroot": lambda w: os.chroot(w.folder),
        "handle_of_a_file": lambda w: call(303, 264, HERE, b"/", ctypes.create_string_buffer(b"\x80", 136), 0, 0),
        "file_by_handle": lambda w: call(304, 265, HERE, ctypes.create_string_buffer(136), 0),
        # the stored file itself, which the worker has open for reading
        "reopen_the_input_to_write": lambda w: os.open(f"/proc/self/fd/{w.input}", os.O_RDWR),
        "reopen_the_input_to_read": lambda w: os.open(f"/dev/fd/{w.input}", os.O_RDONLY),
        "write_the_input": lambda w: os.write(w.input, b"x"),
        "truncate_the_input": lambda w: os.ftruncate(w.input, 0),
        "chmod_the_input": lambda w: os.fchmod(w.input, 0o777),
        "chown_the_input": lambda w: os.fchown(w.input, os.getuid(), os.getgid()),
        "touch_the_input": lambda w: os.utime(w.input),
        "attribute_of_the_input": lambda w: os.setxattr(w.input, "user.mine", b"1"),
        "map_the_input_to_write": lambda w: mmap.mmap(w.input, 1),
        "less_bad_for_the_kernel": lambda w: write("/proc/self/oom_score_adj", "0"),
    }
    ATTEMPTS.update(files)


_paths()
