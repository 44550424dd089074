"""What the sandbox shows of homes: the folder of a toolchain, and nothing of those around it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemill.sandbox import Pool, homes, languages


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of this user, at a place that the sandbox does not hide behind its own /tmp."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    monkeypatch.setenv("HOME", str(folder))
    languages.toolchain.cache_clear()
    yield folder
    languages.toolchain.cache_clear()
    shutil.rmtree(folder)


def program(home: Path, path: str, text: str = "#!/bin/sh\n") -> Path:
    file = home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (".rustup/toolchains/stable/bin/rustc", ".rustup/toolchains/stable"),
        (".pyenv/versions/3.11.7/bin/python3", ".pyenv/versions/3.11.7"),
        (".local/share/uv/python/cpython-3.12/bin/python3", ".local/share/uv/python/cpython-3.12"),
        ("go/bin/go", "go"),
        (".cargo/bin/rustc", None),
        (".local/bin/lua5.4", None),
        (".local/share/bin/lua5.4", None),
        (".bun/bin/node", None),
        (".pyenv/shims/python3", None),
        ("bin/lua5.4", None),
        ("lua5.4", None),
        ("letters/lua5.4", None),
    ],
)
def test_a_toolchain_in_a_home_shows_its_own_folder_or_its_program_alone(
    home: Path, path: str, folder: str | None
) -> None:
    file = program(home, path)
    assert homes.shown(str(file)) == (str(file), (str(home / folder) if folder else str(file),))


@pytest.mark.parametrize("place", ["/root/bin/go", "/home/somebody/bin/go", "/home/go", "/root/go", "/bin/../root/go"])
def test_homes_of_others_are_not_shown_either(place: str) -> None:
    _, needed = homes.shown(place)
    assert not {"/", "/home", "/home/somebody", "/root"} & set(needed)


def test_a_link_to_a_toolchain_is_followed_and_a_link_to_a_home_is_not_shown(home: Path) -> None:
    real = program(home, ".nvm/versions/node/v20/bin/node")
    link = home / ".local" / "bin" / "node"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    assert homes.shown(str(link)) == (str(real), (str(home / ".nvm/versions/node/v20"),))
    program(home, "bin/go")
    alias = home / ".nvm" / "versions" / "node" / "home"
    alias.symlink_to(home)
    assert homes.shown(str(alias / "bin" / "go"))[1] == (str(alias / "bin" / "go"), str(home / "bin" / "go"))


@pytest.mark.parametrize("says", ["exec sleep 60", "exit 1", "echo /nowhere", "printf '\\377'"])
def test_a_proxy_that_does_not_say_where_its_program_lies_is_what_there_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    proxy = program(home, ".cargo/bin/rustc", f"#!/bin/sh\n{says}\n")
    monkeypatch.setattr(languages, "search_path", lambda: str(proxy.parent))
    run = subprocess.run
    monkeypatch.setattr(languages.subprocess, "run", lambda *args, **more: run(*args, **{**more, "timeout": 0.5}))
    found = languages.toolchain(languages.get("rust"))
    assert found is not None
    assert (found.programs, found.folders) == ({"rustc": str(proxy)}, (str(proxy),))


def test_an_environment_of_python_is_a_toolchain_wherever_it_lies(home: Path) -> None:
    file = program(home, ".venv/bin/python3")
    assert homes.shown(str(file))[1] == (str(file),)
    (home / ".venv" / "pyvenv.cfg").write_text("")
    assert homes.shown(str(file))[1] == (str(home / ".venv"),)


def test_a_program_reads_nothing_of_the_home_that_its_toolchain_lies_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = '#!/bin/sh\n[ "$1" = --version ] && echo Swift && exit\ncp program.swift program; chmod +x program\n'
    monkeypatch.setenv("PATH", str(program(home, "bin/swiftc", compiler).parent), prepend=":")
    if shutil.which("swiftc", path=languages.SYSTEM_PATH):
        pytest.skip("this machine has another one, which is found first")
    (home / ".credentials").write_text("s3cret\n")
    with Pool(1) as pool:
        read = f"#!/bin/bash\nwhile read line; do echo $line; done < {home}/.credentials\n"
        outcome = pool.execute(read, "true\n", language="swift")
    assert "s3cret" not in outcome.output
    assert (outcome.toolchain, outcome.verdict) == ("Swift", "pass")
