"""Benchmarks: the formats in which they are published, one file each, and the tasks that are in them.

No benchmark is part of codemill: the files are the user's, and are read as their authors publish them. Decontamination
compares documents with their tasks; evaluation asks a model for answers.
"""

from __future__ import annotations

from codemill.benchmarks._row import language_keys
from codemill.benchmarks.catalogue import Benchmark, all, find, get, read, recognise
from codemill.benchmarks.task import KINDS, Case, Task

__all__ = ["KINDS", "Benchmark", "Case", "Task", "all", "find", "get", "language_keys", "read", "recognise"]
