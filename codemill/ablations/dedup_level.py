"""Deduplication of files against that of repositories and of chunks.

Hypothesis: file level is best. Of 485 million Python files, repository level left three times as many tokens, half of
them in files that were still equal, and a 1.5B model trained on the former was better on HumanEval and MBPP (2.5,
figure 3). Chunks on top of files removed 0.1 % more (table 13), so these two arms should not differ.
"""

from __future__ import annotations

import functools

from codemill.ablations.ablation import Ablation
from codemill.ablations.corpora import corpus

ABLATION = Ablation(
    name="dedup_level",
    hypothesis="deduplicating files gives fewer bits per byte than deduplicating repositories, and no more than chunks",
    cited="arXiv 2411.04905, 2.5, table 13",
    arms={level: functools.partial(corpus, level=level) for level in ("file", "repo", "chunk")},
)
