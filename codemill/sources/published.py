"""What an earlier run published, read in place: its corpus, its index, or any other of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from codemill.errors import InputError, RecipeError, did_you_mean
from codemill.machine.identity import digest
from codemill.machine.layers import Piece
from codemill.machine.store import Place, Receipt, sealed

_AGAIN = "give the --out folder of a run that ended; run that again if it was changed since"


@dataclass(frozen=True)
class Published:
    """An output of a finished run, by the run's `--out` folder and the output's name.

    Without a name it is the index, if the run made one, else the corpus: what new documents are held against. Its
    identity is that of its files: an output that was built anew from other documents makes another table, one that was
    moved does not.

    Raises: InputError if there is no finished run in `path`, or files of it are missing; RecipeError if it has no such
    output.
    """

    path: str
    output: str = ""
    fingerprint: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        files = self._manifest()["files"]
        if self.output and self.output not in files:
            raise RecipeError(
                f"the run has no output {self.output!r}", where=self.path, remedy=did_you_mean(self.output, files)
            )
        object.__setattr__(self, "output", self.output or ("index" if "index" in files else "corpus"))
        receipts = self._receipts()
        there = self._folder().names()
        for receipt in receipts:
            if there.get(receipt.name) != receipt.bytes:
                where = self._folder().at(receipt.name).uri
                raise InputError(f"a file of the {self.output} is missing or changed", where=where, remedy=_AGAIN)
        identity = [self.parameters("known.index"), [receipt.sha256 for receipt in receipts]]
        object.__setattr__(self, "fingerprint", digest(identity))

    def parameters(self, step: str) -> Mapping[str, Any] | None:
        """The parameters that the last step of that name had in the run. Null: it had no such step."""
        entries = [entry for entry in self._manifest()["steps"] if entry["name"] == step]
        return dict(entries[-1]["parameters"]) if entries else None

    def columns(self) -> dict[str, pa.DataType]:
        """The columns of its files, by name."""
        for receipt in self._receipts():
            filesystem, path = self._folder().at(receipt.name).open()
            try:
                with filesystem.open_input_file(path) as stream:
                    mapped = receipt.name.endswith(".arrow")
                    schema = ipc.open_file(stream).schema if mapped else pq.read_schema(stream)
                    return {f.name: f.type for f in schema}
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"a published file cannot be read: {error}", where=path, remedy=_AGAIN) from error
        return {}

    def pieces(self, step: str) -> list[Piece]:
        """Its files as the parts of a table."""
        columns, folder = tuple(self.columns()), self._folder()
        return [
            Piece(
                r.sha256[:20],
                step,
                folder.at(r.name),
                columns,
                r.rows,
                r.bytes,
                r.sha256,
                mapped=r.name.endswith(".arrow"),
            )
            for r in self._receipts()
        ]

    def _manifest(self) -> Mapping[str, Any]:
        manifest = Place.of(self.path).at("manifest.json").read_json()
        if not isinstance(manifest, dict) or not {"fingerprint", "files", "steps"} <= set(manifest):
            raise InputError("there is no finished run to read", where=self.path, remedy=_AGAIN)
        if sealed(manifest) is None:
            raise InputError("the manifest of the run was changed", where=self.path, remedy="run that again")
        return manifest

    def _folder(self) -> Place:
        return Place.of(self.path).at(self.output)

    def _receipts(self) -> list[Receipt]:
        return [Receipt(**entry) for entry in self._manifest()["files"][self.output].values()]
