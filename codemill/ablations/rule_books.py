"""RefineCode's released rules against the corrected ones.

Hypothesis: with the corrected rules a model of the same size that reads as many tokens has fewer bits per byte on
held-out code. They drop fewer files that are good code (interfaces, headers, short files, tests) and more that are not
(generated, carried along, licences), so the corpus is larger and nearer to what is held out. The released rules have
never been compared with others; their thresholds were chosen by eye. Where two corpora differ by a few files in a
hundred, small models may not tell them apart.
"""

from __future__ import annotations

import functools

from codemill.ablations.ablation import Ablation
from codemill.ablations.corpora import corpus

ABLATION = Ablation(
    name="rule_books",
    hypothesis="a corpus filtered by the corrected rules gives fewer bits per byte than one by the released ones",
    cited="ours; the released rules: arXiv 2411.04905, 2.1.4",
    arms={
        "corrected": functools.partial(corpus, rules="corrected"),
        "refinecode": functools.partial(corpus, rules="refinecode"),
    },
)
