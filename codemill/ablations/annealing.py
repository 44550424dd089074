"""Annealing with algorithmic and synthetic data, and without.

Hypothesis: with them a model is better on tasks of benchmarks. Of two 1.5B models the one that was annealed without
them was far worse (6.2, figure 9; its values are only in a chart). The algorithmic corpus is files of the corpus
itself, read more often; snippets and textbooks need a teacher, and their arm is left out where none is given. All arms
go on from the same models, with as many tokens, their rates coming down alike. On ordinary held-out code nothing need
be gained: 16 of 100 tokens are of another kind.
"""

from __future__ import annotations

from codemill.ablations import sets
from codemill.ablations.ablation import Ablation, Annealed

ABLATION = Ablation(
    name="annealing",
    hypothesis="annealing with algorithmic and synthetic data gives fewer bits per byte on answers of benchmarks",
    cited="arXiv 2411.04905, 6.2, figure 9",
    arms={
        "synthetic": Annealed({"algorithmic": "algorithmic", "snippets": "snippets", "textbooks": "textbooks"}),
        "algorithmic": Annealed({"algorithmic": "algorithmic"}),
        "original": Annealed(),
    },
    sets=sets.algorithmic_and_synthetic,
)
