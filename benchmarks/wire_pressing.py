"""The cases of benchmarks.wire that press: a thousand slow readers, uploads, and a disk that has to be waited for."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.load import Drained, cache_folder, drain, drain_for, put, read_slowly, request_beside
from benchmarks.peers import PEERS, UPLOADS, Server
from benchmarks.processes import cpu_s, resident
from benchmarks.report import Bar, Figures, judge, share, show
from benchmarks.rounds import Bench, in_rounds, say, started_each_time
from benchmarks.wire_reading import GIB, MEASURE_S, NAMES, SMALL

SLOW_COLUMNS = {
    "MB before": "{:.0f}",
    "MB peak": "{:.0f}",
    "MB growth": "{:.1f}",
    "cut off": "{:.0f}",
    "GB/s alone": "{:.3g}",
    "GB/s beside": "{:.3g}",
    "kept": "{:.2f}",
}
COLD_COLUMNS = {
    "p50 ms warm": "{:.2f}",
    "p99 ms warm": "{:.2f}",
    "p50 ms cold": "{:.2f}",
    "p99 ms cold": "{:.2f}",
    "p99 cold/warm": "{:.2f}",
    "GB/s cold": "{:.3g}",
}
PACE_S = 0.005
MEMORY_TYPES = frozenset(("tmpfs", "ramfs"))


def slow(bench: Bench) -> None:
    """Memory for many readers of 50 KB/s each, and what is left for a fast one beside them."""
    clients, seconds = (100, 5) if bench.is_smoke else (1000, 60)
    size = bench.size(GIB)
    name = bench.file(GIB)  # whole in a smoke run as well: the slow readers must not come to its end
    fast_name = bench.file(size)

    def measure(server: Server) -> Figures:
        def fast() -> Drained:
            return drain(server.site.port, server.path(fast_name), size=size)

        samples: list[int] = []
        fast_runs: list[Drained] = []

        def beside() -> None:
            samples.append(resident(server.pid))
            if not fast_runs and time.monotonic() > started_s + seconds / 2:
                fast_runs.append(drain_for(bench.seconds(MEASURE_S), fast))

        alone = drain_for(bench.seconds(MEASURE_S), fast)
        before = resident(server.pid)
        started_s = time.monotonic()
        done = read_slowly(
            server.site.port, server.path(name), beside, connections=clients, rate=50_000, seconds=seconds
        )
        speeds = [each.bytes / each.seconds / 1e9 for each in (alone, fast_runs[0])]
        peak = max(samples)
        return {
            "MB before": before / 1e6,
            "MB peak": peak / 1e6,
            "MB growth": (peak - before) / 1e6,
            "cut off": done.cut_off,
            "GB/s alone": speeds[0],
            "GB/s beside": speeds[1],
            "kept": speeds[1] / speeds[0],
        }

    peers = [PEERS[key] for key in ("ours", "ours-copying", "nginx", "file-response")]
    results = started_each_time(bench, peers, measure, title="slow")
    show(f"slow: {clients:,} readers of 50 KB/s for {seconds} s", results, NAMES, SLOW_COLUMNS)
    ours = results.get("ours", {})
    judge(
        Bar("growth of memory in MB", ours.get("MB growth"), 60),
        Bar("speed of a fast client beside them, of its speed alone", ours.get("kept"), 0.5, is_at_most=False),
    )


def upload(bench: Bench) -> None:
    """A file by PUT, and as a form. Ours syncs it and computes its SHA-256 before it answers; the peers do neither."""
    size = bench.size(GIB)

    def measure(server: Server) -> Figures:
        is_form = server.peer.key in ("ours-form", "upload-file")
        path = server.path("" if is_form else "upload")
        before_s = cpu_s(server.pid)
        stored = put(server.site.port, path, size=size, form=is_form)
        spent_s = cpu_s(server.pid) - before_s
        target = server.site.folder / "upload"
        if target.stat().st_size != size:
            raise AssertionError(f"{server.peer.name} stored {target.stat().st_size} bytes of {size}")
        target.unlink()
        return {"GB/s": size / stored.seconds / 1e9, "CPU s/GB": spent_s / size * 1e9}

    names = {key: peer.name for key, peer in UPLOADS.items()}
    with upload_folder(4 * size) as folder:
        own = replace(bench, folder=folder, scratch=folder / "scratch")
        own.scratch.mkdir()
        results = in_rounds(own, UPLOADS.values(), measure, title="upload")
        kind = file_system(folder)
    show(f"upload: {size >> 20} MiB to {kind}", results, names, {"GB/s": "{:.3g}", "CPU s/GB": "{:.3f}"})
    form = share(results, "GB/s", "upload-file", of="ours-form")
    judge(
        Bar("CPU per GB by PUT, of nginx dav's", share(results, "CPU s/GB", "nginx"), 1.5),
        Bar("GB/s by form, of UploadFile's", form, 2, is_at_most=False),
    )


@contextmanager
def upload_folder(room: int) -> Iterator[Path]:
    """A new folder in memory if that has room, so that a disk does not hide the servers; else in the temp folder."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > room
    with tempfile.TemporaryDirectory(dir=memory if has_room else None) as name:
        yield Path(name)


def file_system(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = {str(folder.resolve()), *(str(parent) for parent in folder.resolve().parents)}
    found = [(len(fields[1]), number, fields[2]) for number, fields in enumerate(mounts) if fields[1] in above]
    return max(found)[2]


def disk_folder() -> Path | None:
    """A folder on a real disk, if one of those that are ours to use is."""
    candidates = (Path(tempfile.gettempdir()), Path("/var/tmp"), cache_folder())
    return next((each for each in candidates if each.is_dir() and file_system(each) not in MEMORY_TYPES), None)


def drop_cache(path: Path) -> None:
    """Take a file's pages out of memory. It has to be synced: pages not written yet stay."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cold(bench: Bench) -> None:
    """A small request every 5 ms beside a download that waits for the disk, and beside one that does not."""
    disk = disk_folder()
    if disk is None:
        say("cold: skipped, there is no folder on a real disk")
        return
    size = bench.size(2 * GIB)

    def measure(server: Server) -> Figures:
        port, name, small = server.site.port, server.path(f"{size}.bin"), server.path(f"{SMALL}.bin")
        downloads: list[Drained] = []

        def download() -> Drained:
            downloads.append(drain(port, name, size=size))
            return downloads[-1]

        download()
        warm = request_beside(port, small, lambda: drain_for(bench.seconds(MEASURE_S), download), interval_s=PACE_S)
        drop_cache(server.site.folder / f"{size}.bin")
        chilled = request_beside(port, small, download, interval_s=PACE_S)
        return {
            "p50 ms warm": warm.p50_s * 1e3,
            "p99 ms warm": warm.p99_s * 1e3,
            "p50 ms cold": chilled.p50_s * 1e3,
            "p99 ms cold": chilled.p99_s * 1e3,
            "p99 cold/warm": chilled.p99_s / warm.p99_s,
            "GB/s cold": downloads[-1].bytes / downloads[-1].seconds / 1e9,
        }

    with tempfile.TemporaryDirectory(dir=disk) as folder:
        own = replace(bench, folder=Path(folder))
        own.file(size)
        own.file(SMALL)
        peers = [PEERS[key] for key in ("ours", "nginx", "file-response")]
        results = in_rounds(own, peers, measure, title="cold")
    title = f"cold: a 4 KiB file every {PACE_S * 1e3:.0f} ms beside a download of {size >> 20} MiB"
    show(title, results, NAMES, COLD_COLUMNS)
    judge(Bar("p99 beside a cold download, of that beside a warm one", results.get("ours", {}).get("p99 cold/warm"), 3))
