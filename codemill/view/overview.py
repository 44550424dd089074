"""The page of a run as a whole: how it was made, what it published, which runs it read and which were made of it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codemill.view.family import Member
from codemill.view.templates import Pages


class OverviewPages(Pages):
    """A page for every kind of run."""

    def routes(self) -> list[Route]:
        """Its one address."""
        return [Route("/overview", self.overview)]

    def overview(self, request: Request) -> Response:
        """The run as a whole."""
        return self.page(
            "overview.html.j2",
            parameters=self.run.manifest["recipe"].get("parameters") or {},
            outputs=[self.output(name) for name in self.run.manifest.get("files", {})],
            above=self.family.above(self.key),
            below=self.family.below(self.key),
            published=published,
        )

    def output(self, name: str) -> dict[str, Any]:
        """What was published by a name: rows (null: it is a folder of files), files, bytes."""
        files = self.run.manifest["files"][name].values()
        return {"name": name, "files": len(files), "bytes": sum(int(file["bytes"]) for file in files)}


def published(member: Member) -> list[str]:
    """What a run published, but for ledgers."""
    outputs = member.run.manifest.get("outputs", {})
    return [name for name in member.run.manifest.get("files", {}) if not outputs.get(name, {}).get("ledger")]
