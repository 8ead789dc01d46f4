"""Every attempt of `attempts` in one worker, and how each ended: `python -m tests.workers.escaping FOLDER`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from fileserver.workers import Pool, PoolLimits

LIMITS = PoolLimits(data_size=1 << 30, file_size=64 << 20, warm=0)


async def outcomes(base: Path) -> dict[str, Any]:
    """By attempt: what it ended with, None for an escape; "layers" and "end" tell of the worker."""
    outside, folder = base / "outside", base / "work"
    (outside / "empty").mkdir(parents=True)
    folder.mkdir()
    (outside / "secret").write_text("secret")
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        Pool("tests.workers.attempts", LIMITS) as pool,
    ):
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        spec = {"outside": str(outside), "server": os.getpid(), "port": port}
        table = os.open(outside / "secret", os.O_RDONLY)
        try:
            return await _told(pool, spec, folder, table)
        finally:
            os.close(table)


async def _told(pool: Pool, spec: dict[str, Any], folder: Path, table: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with pool.worker(spec, folder=folder, input=table) as worker:
        async for message in worker.messages():
            match message:
                case {"type": "layers", "layers": layers}:
                    found["layers"] = layers
                case {"type": "refused", "attempt": name, "error": error}:
                    found[name] = error
                case {"type": "escaped", "attempt": name}:
                    found[name] = None
        found["end"] = (await worker.wait()).reason
    return found


if __name__ == "__main__":
    print(json.dumps(anyio.run(outcomes, Path(sys.argv[1]))))
