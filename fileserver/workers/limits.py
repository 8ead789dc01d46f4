"""What a pool and each of its workers may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Sizes are bytes. `jobs`, `queue`, `warm` and `burial_s` are the pool's, all others hold for each worker."""

    jobs: int = 4  # that run at once
    queue: int = 16  # that wait for a place; more are refused at once
    warm: int = 1  # forked ahead of need, from the first job on
    burial_s: float = 10.0  # from SIGKILL to the zygote's word of it; a zygote that is slower has to go too
    data_size: int = 4 << 30  # RLIMIT_DATA, which counts what is only reserved: 5,000 columns reserve 3 GiB, use 0.35
    cpu_s: int = 3600  # RLIMIT_CPU
    file_size: int = 10 << 30  # RLIMIT_FSIZE: each spill file
    wall_s: float = 3600.0  # from the start of the job
    stall_s: float = 60.0  # of nothing done while the server waits; math.inf: no limit
    open_files: int = 64  # RLIMIT_NOFILE
