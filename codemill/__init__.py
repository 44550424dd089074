"""codemill turns source code into training data for code language models.

The names below are the table of contents for notebooks; recipes also use `codemill.steps` and `codemill.sources`.
"""

from codemill.builder import build
from codemill.cleaning import Redaction, redact
from codemill.errors import (
    BuildError,
    CodemillError,
    EnvironmentProblem,
    InputError,
    RecipeError,
    TeacherError,
)
from codemill.headers import strip_header
from codemill.languages import Detection, detect
from codemill.near import collision_probability, effective_threshold, near_duplicates, sketch
from codemill.planning import plan
from codemill.signals import measure, signal
from codemill.table import Step, Table, exchange, step

__all__ = [
    "BuildError",
    "CodemillError",
    "Detection",
    "EnvironmentProblem",
    "InputError",
    "RecipeError",
    "Redaction",
    "Step",
    "Table",
    "TeacherError",
    "build",
    "collision_probability",
    "detect",
    "effective_threshold",
    "exchange",
    "measure",
    "near_duplicates",
    "plan",
    "redact",
    "signal",
    "sketch",
    "step",
    "strip_header",
]
