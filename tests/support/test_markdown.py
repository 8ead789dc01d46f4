"""What of a document is run, and what is not."""

from pathlib import Path

from tests.support.markdown import runnable_blocks

_DOCUMENT = """\
Text with ```sh in it.

```sh
curl http://127.0.0.1:8000/health
echo done
```

```bash
exit 1
```

- indented
  ```sh
  curl -T x http://127.0.0.1:8000/files/x
  ```
"""


def test_blocks_are_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(_DOCUMENT)
    first, second = runnable_blocks(tmp_path / "README.md")
    assert (first.line, first.text) == (4, "curl http://127.0.0.1:8000/health\necho done\n")
    assert (second.line, second.against("http://x")) == (14, "  curl -T x http://x/files/x\n")
