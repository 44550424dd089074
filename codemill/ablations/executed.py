"""Fine-tuning on synthetic chats whose programs passed their tests, against all that were written.

Hypothesis: executed ones are better. The paper keeps only those (4.1) without trying the other. What fails is wrong, or
hard: keeping only what passes makes a set easier too (OpenCodeReasoning, arXiv 2504.01943), so this may not hold. Arms
see equally many chats, so the smaller set is repeated more often.
"""

from __future__ import annotations

from codemill.ablations import sets
from codemill.ablations.ablation import Ablation, Tuned

ABLATION = Ablation(
    name="executed",
    hypothesis="chats whose programs passed give fewer bits per byte of answers than all that were written",
    cited="ours; arXiv 2411.04905, 4.1, keeps only what passes",
    arms={"executed": Tuned(("executed",)), "all": Tuned(("all",))},
    sets=sets.chats,
    teacher=True,
)
