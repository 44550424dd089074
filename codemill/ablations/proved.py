"""Annealing with a small proved set over several epochs, against a large unfiltered one.

Hypothesis: snippets that passed strong tests are better, although they are fewer and are read more often. Both arms
read as many tokens of snippets, by the paper's share, and as many of all else. The paper keeps only what passes (2.2)
without trying the other; phi-1 (arXiv 2306.11644) reads a small set of exercises many times. Keeping only what passes
also removes hard tasks (OpenCodeReasoning, arXiv 2504.01943), which speaks against it.
"""

from __future__ import annotations

from codemill.ablations import sets
from codemill.ablations.ablation import Ablation, Annealed

ABLATION = Ablation(
    name="proved",
    hypothesis="a small set of proved snippets, repeated, gives fewer bits per byte than all that were written",
    cited="ours; arXiv 2411.04905, 2.2, keeps only what passes",
    arms={
        "proved": Annealed({"algorithmic": "algorithmic", "snippets": "proved"}),
        "unfiltered": Annealed({"algorithmic": "algorithmic", "snippets": "unfiltered"}),
    },
    sets=sets.snippets,
    teacher=True,
)
