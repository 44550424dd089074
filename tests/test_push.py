"""A release goes to a hub file by file: the hub here is a server of ours that knows the four calls of its client."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("huggingface_hub")

PUSH = """
import sys
from pathlib import Path
from codemill.errors import CodemillError
from codemill.release.push import push
try:
    print(push(Path(sys.argv[1]), sys.argv[2]))
except CodemillError as error:
    sys.exit(str(error))
"""


class Hub(BaseHTTPRequestHandler):
    """Makes repositories, says how files are to be sent, and takes them."""

    repositories: list[dict[str, Any]]
    files: dict[str, bytes]

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer hf_ours":
            self.answer({"error": "Invalid username or password."}, 401)
        elif self.path == "/api/repos/create":
            self.repositories.append(json.loads(said))
            self.answer({"url": f"http://{self.headers['Host']}/datasets/ann/corpus"})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif self.path == "/api/datasets/ann/corpus/preupload/main":
            sent = json.loads(said)["files"]
            self.answer(
                {"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in sent]}
            )
        elif self.path == "/api/datasets/ann/corpus/commit/main":
            for line in map(json.loads, said.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self.answer({"commitUrl": f"http://{self.headers['Host']}/datasets/ann/corpus/commit/1", "commitOid": "1"})
        else:
            self.answer({"error": f"no {self.path} here"}, 404)

    def answer(self, what: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def hub() -> Iterator[tuple[type[Hub], str]]:
    handler = type("ThisHub", (Hub,), {"repositories": [], "files": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    files = {
        "README.md": "---\nlicense: other\n---\n# A corpus\n",
        "corpus/data/part-00000.parquet": "PAR1",
        "rebuilt/x": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def push(release: Path, address: str, token: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    ours = {"HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", PUSH, str(release), "ann/corpus"]
    return subprocess.run(command, env={**kept, **ours}, capture_output=True, text=True, timeout=120)


def test_a_release_is_uploaded_whole_and_is_private(hub: tuple[type[Hub], str], release: Path, tmp_path: Path) -> None:
    handler, address = hub
    done = push(release, address, "hf_ours", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{address}/datasets/ann/corpus"
    (made,) = handler.repositories
    assert (made["name"], made["organization"], made["type"]) == ("corpus", "ann", "dataset")
    assert made.get("private") is True or made.get("visibility") == "private"
    # What was rebuilt to check the release is no part of it.
    assert handler.files == {
        name: (release / name).read_bytes() for name in ("README.md", "corpus/data/part-00000.parquet")
    }


def test_a_hub_that_refuses_is_told_with_a_remedy_and_without_the_token(
    hub: tuple[type[Hub], str], release: Path, tmp_path: Path
) -> None:
    handler, address = hub
    done = push(release, address, "hf_theirs", tmp_path)
    assert done.returncode == 1
    assert "the hub did not take it" in done.stderr
    assert "log in, or check the name" in done.stderr
    assert "hf_theirs" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not handler.files
