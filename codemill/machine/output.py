"""The output folder of a build: that it is ours, and that nobody else is using it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterable, Iterator

from codemill.errors import EnvironmentProblem
from codemill.machine.store import Place, storage_errors


def check_output(out: Place, outputs: Iterable[str]) -> None:
    """Refuses a folder with things in it that publishing would replace and that codemill did not make."""
    manifest = out.at("manifest.json")
    known = manifest.read_json()
    if out.at(".work", "lock").exists() or (isinstance(known, dict) and {"fingerprint", "outputs"} <= set(known)):
        return
    foreign = [name for name in outputs if out.at(name).names()]
    foreign += [name for name in ("manifest.json", "report.html") if out.at(name).exists()]
    if foreign:
        raise EnvironmentProblem(
            f"the output folder has a {foreign[0]} that codemill did not make",
            where=out.uri,
            remedy="choose another --out",
        )


@contextlib.contextmanager
def locked(out: Place) -> Iterator[None]:
    """One run at a time in one output folder (on local disks; the system frees the lock however a run ends)."""
    if out.local is None:
        yield
        return
    work = out.at(".work")
    work.make()
    with contextlib.ExitStack() as stack:
        with storage_errors(out.uri):
            file = stack.enter_context(open(out.local / ".work" / "lock", "a"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EnvironmentProblem(
                "another run is using this output folder",
                where=out.uri,
                remedy="wait for it, or choose another --out",
            ) from error
        yield
