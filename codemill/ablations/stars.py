"""All repositories against those with five stars or more.

Hypothesis: all is better on held-out code of all kinds, although the loss in training is lower with stars: the paper
found lower loss and worse HumanEval and MBPP, for what is starred is less diverse (6.3, figure 9).

It needs repositories whose stars are known (`--metadata`); where none is, both arms are the same and the run stops.
"""

from __future__ import annotations

import functools

from codemill.ablations.ablation import Ablation
from codemill.ablations.corpora import corpus

ABLATION = Ablation(
    name="stars",
    hypothesis="files of all repositories give fewer bits per byte than those of repositories with 5 stars or more",
    cited="arXiv 2411.04905, 6.3",
    arms={"all": corpus, "starred": functools.partial(corpus, least_stars=5)},
)
