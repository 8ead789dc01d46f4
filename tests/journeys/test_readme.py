"""A reader copies the commands of the documents into a shell, one block after the other, and each of them works."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.markdown import runnable_blocks
from tests.support.server import COMMAND, Serve

_PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/transform.md",
        "docs/tables.md",
        "docs/uploads.md",
        "docs/client.md",
        "docs/comments.md",
        "docs/files.md",
        "docs/streaming.md",
        "docs/media.md",
        "docs/trash.md",
    ],
)
def test_the_commands_of_a_document_work(serve: Serve, tmp_path: Path, name: str) -> None:
    blocks = runnable_blocks(_PROJECT / name)
    assert any("127.0.0.1:8000" in block.text for block in blocks), f"{name} shows no command that could be run"
    root, folder = tmp_path / "root", tmp_path / "reader"
    root.mkdir()
    folder.mkdir()
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")  # an error answer is a broken command
    server = serve(root)
    for block in blocks:
        command = ["bash", "-e", "-o", "pipefail", "-c", block.against(server.url)]
        path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
        environment = os.environ | {"CURL_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "PATH": path}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{name}:{block.line} ended with {done.returncode}\n{done.stdout}{done.stderr}"
