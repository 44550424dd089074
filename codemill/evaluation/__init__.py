"""Evaluates models on benchmarks: docs/evaluation.md.

running     one evaluation, from files of tasks to scores
selftest    references pass, stubs fail, else no number
grading     from answers to verdicts, in the sandbox
metrics     pass@k, intervals, paired differences
samples     samples.jsonl, as harnesses exchange it
models      what answers
surprise    bits per byte
environment versions of what a score depends on
results     OUT as files
comparing   models side by side
"""

from codemill.evaluation.models import Function, Model, Sampling
from codemill.evaluation.results import Results
from codemill.evaluation.running import HeldOut, Settings, evaluate
from codemill.evaluation.selftest import SelfTest, selftest

__all__ = ["Function", "HeldOut", "Model", "Results", "Sampling", "SelfTest", "Settings", "evaluate", "selftest"]
