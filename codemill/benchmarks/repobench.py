"""RepoBench: the next line of a file, given other files of its repository (Liu et al. 2023, arXiv 2306.03091)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task of v1.0 or v1.1. `prompt` is the file so far with its imports, `shown` the parts of other files."""
    context = row.json("context") if isinstance(row.fields.get("context"), list) else row.text("context", "")
    code = row.text("cropped_code") if "cropped_code" in row else row.text("code")
    path = row.text("file_path")
    return Task(
        benchmark="repobench",
        id=f"{row.text('repo_name')}/{path}#{row.key('id') if 'id' in row else len(code)}",
        language="java" if path.endswith(".java") else "python",
        kind="line",
        prompt=f"{row.text('import_statement')}\n\n{code}",
        solution=row.text("next_line"),
        shown=context if isinstance(context, str) else "\n\n".join(str(one.get("snippet", "")) for one in context),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="repobench",
    title="RepoBench",
    languages="Python, Java",
    published="https://huggingface.co/datasets/tianyang/repobench_python_v1.1",
    licence="CC-BY-4.0",
    shapes=(
        frozenset({"repo_name", "file_path", "context", "import_statement", "code", "next_line"}),
        frozenset({"repo_name", "file_path", "context", "import_statement", "cropped_code", "all_code", "next_line"}),
    ),
    read=read,
)
