"""What gets out of the sandbox: nothing, tried by a worker that wants to; as root and as somebody."""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from fileserver.workers import LAYERS, kernel, sandbox_layers
from tests.workers import escaping
from tests.workers.attempts import ATTEMPTS
from tests.workers.pools import open_pool

NOBODY = 65534
_ROOT_IS_NEEDED = pytest.mark.skipif(os.geteuid() != 0, reason="runs as somebody already")


def test_this_kernel_gives_every_layer() -> None:
    assert sandbox_layers() == LAYERS


async def test_the_kernel_says_the_same_of_a_worker(folder: Path) -> None:
    async with open_pool() as pool, pool.worker({"job": "close_input", "seconds": 60}, folder=folder) as worker:
        assert (await anext(worker.messages()))["type"] == "begun"
        with open(f"/proc/{worker.pid}/status") as file:
            status = {name: text.strip() for name, _, text in (line.partition(":") for line in file)}
        with open(f"/proc/{worker.pid}/oom_score_adj") as file:
            assert file.read() == "900\n"
        assert os.readlink(f"/proc/{worker.pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


async def test_no_attempt_gets_out(tmp_path: Path) -> None:
    judge(await escaping.outcomes(tmp_path), tmp_path)


@_ROOT_IS_NEEDED
def test_no_attempt_gets_out_of_a_server_without_privileges() -> None:
    with tempfile.TemporaryDirectory() as base:
        os.chown(base, NOBODY, NOBODY)
        done = subprocess.run(
            [sys.executable, "-m", "tests.workers.test_sandbox", base], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        judge(json.loads(done.stdout), Path(base))


def judge(outcomes: dict[str, Any], base: Path) -> None:
    """Every attempt was made and refused, and what lies outside is as it was."""
    assert outcomes.pop("end") == "done"
    assert outcomes.pop("layers") == sorted(LAYERS)
    assert set(outcomes) == set(ATTEMPTS)
    assert [name for name, error in outcomes.items() if error is None] == []
    assert sorted(os.listdir(base / "outside")) == ["empty", "secret"]
    assert (base / "outside" / "secret").read_text() == "secret"
    assert not os.path.exists("/tmp/escaped")


def _as_nobody(arguments: list[str]) -> None:
    """Go on as nobody, who may not enter the home of the root user, where the interpreter may live: so it is moved.

    Mounts are seen by this process and its children alone.
    """
    private, bind, tree = 1 << 18, 4096, 16384
    mount = ctypes.CDLL(None, use_errno=True).mount
    kernel.unshare(0x20000)
    interpreter = os.path.realpath(sys.base_prefix)
    if interpreter.startswith("/root/"):
        assert mount(b"none", b"/", None, private | tree, None) == 0
        assert mount(interpreter.encode(), b"/mnt", None, bind, None) == 0
        assert mount(b"tmpfs", b"/root", b"tmpfs", 0, b"mode=755") == 0
        os.makedirs(interpreter)
        assert mount(b"/mnt", interpreter.encode(), None, bind, None) == 0
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.execv(sys.executable, [sys.executable, "-m", "tests.workers.escaping", *arguments])


if __name__ == "__main__":
    _as_nobody(sys.argv[1:])
