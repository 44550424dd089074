"""Fine-tuning in two stages, in the first alone, and on both sets mixed.

Hypothesis: two stages are best. OpenCoder-1.5B has 70.1 on HumanEval after breadth and then quality, 52.4 after breadth
alone, 55.5 with all chats mixed (table 10). Arms see equally many chats here: two stages share the steps of the others
evenly. With a teacher the stages are those of `post_training`; without one they are the corpus's own functions, asked
for by their docstrings, and in the second stage those that are documented best.
"""

from __future__ import annotations

from codemill.ablations import sets
from codemill.ablations.ablation import Ablation, Tuned

ABLATION = Ablation(
    name="stages",
    hypothesis="breadth and then quality gives fewer bits per byte of answers than breadth alone, or both mixed",
    cited="arXiv 2411.04905, 4.3, table 10",
    arms={
        "two_stages": Tuned(("stage_1",), ("stage_2",)),
        "stage_1": Tuned(("stage_1",)),
        "mixed": Tuned(("stage_1", "stage_2")),
    },
    sets=sets.stages,
)
