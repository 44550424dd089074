"""codemill turns source code into training data for code language models.

The names below are the table of contents for notebooks; recipes also use `codemill.steps` and `codemill.sources`.
"""

from codemill.cleaning import Redaction, notebooks, redact
from codemill.cleaning.headers import strip_header
from codemill.errors import (
    BuildError,
    CodemillError,
    EnvironmentProblem,
    InputError,
    RecipeError,
    TeacherError,
)
from codemill.languages import Detection, detect
from codemill.machine.builder import build
from codemill.machine.planning import plan
from codemill.machine.table import (
    Output,
    Outputs,
    Step,
    Table,
    exchange,
    folder,
    group,
    ledger,
    rows,
    source,
    step,
)
from codemill.near import collision_probability, effective_threshold, near_duplicates, sketch
from codemill.sandbox import execute
from codemill.signals import measure, signal
from codemill.teacher.ask import ask
from codemill.teacher.conversation import Conversation, Drop, Execute, Reply, Request

__all__ = [
    "BuildError",
    "CodemillError",
    "Conversation",
    "Detection",
    "Drop",
    "EnvironmentProblem",
    "Execute",
    "InputError",
    "Output",
    "Outputs",
    "RecipeError",
    "Redaction",
    "Reply",
    "Request",
    "Step",
    "Table",
    "TeacherError",
    "ask",
    "build",
    "collision_probability",
    "detect",
    "effective_threshold",
    "exchange",
    "execute",
    "folder",
    "group",
    "ledger",
    "measure",
    "near_duplicates",
    "notebooks",
    "plan",
    "redact",
    "rows",
    "signal",
    "sketch",
    "source",
    "step",
    "strip_header",
]
