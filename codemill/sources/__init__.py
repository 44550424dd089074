"""Where documents come from. Each source lists itself cheaply, then yields raw files shard by shard."""

from __future__ import annotations

from codemill.machine.source import External, Listing, Shard, Source
from codemill.sources._columns import AUTOMATHTEXT, FINEWEB, REFINECODE_META, SKYPILE, THE_STACK, THE_STACK_V2
from codemill.sources._open import Kind, all, open
from codemill.sources._reasons import REASONS
from codemill.sources.archive import Archive
from codemill.sources.folder import Folder
from codemill.sources.git import Git
from codemill.sources.jsonl import Jsonl
from codemill.sources.metadata import Matched, Metadata
from codemill.sources.parquet import Parquet
from codemill.sources.published import Published
from codemill.sources.warc import Warc

__all__ = [
    "AUTOMATHTEXT",
    "FINEWEB",
    "REASONS",
    "REFINECODE_META",
    "SKYPILE",
    "THE_STACK",
    "THE_STACK_V2",
    "Archive",
    "External",
    "Folder",
    "Git",
    "Jsonl",
    "Kind",
    "Listing",
    "Matched",
    "Metadata",
    "Parquet",
    "Published",
    "Shard",
    "Source",
    "Warc",
    "all",
    "open",
]
