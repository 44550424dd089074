"""RefineCode's rules against none.

Hypothesis: with the rules a model of the same size that reads as many tokens has fewer bits per byte on held-out code.
The paper keeps the rules without an ablation of all of them; its reason is that harmful files teach harmful habits.
At a scale that repeats a corpus, the rules also make it smaller: the epochs are printed beside the result.
"""

from __future__ import annotations

import functools

from codemill.ablations.ablation import Ablation
from codemill.ablations.corpora import corpus

ABLATION = Ablation(
    name="rules",
    hypothesis="a corpus filtered by RefineCode's rules gives fewer bits per byte than one without rules",
    cited="arXiv 2411.04905, 2.1.4",
    arms={
        "refinecode": functools.partial(corpus, rules="refinecode"),
        "none": functools.partial(corpus, rules="none"),
    },
)
