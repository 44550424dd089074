"""One small invented row in each published format. Nothing here is taken from a benchmark."""

from __future__ import annotations

import base64
import io
import json
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

PROMPT = (
    "def widest_gap(depths, floor):\n"
    '    """ Tell the widest gap between neighbouring depths above the floor.\n    """\n'
)
BODY = (
    "    kept = sorted(d for d in depths if d > floor)\n    best = 0\n    for low, high in zip(kept, kept[1:]):\n"
    "        if high - low > best:\n            best = high - low\n    return best\n"
)
CHECK = "def check(candidate):\n    assert candidate([1, 4, 9], 0) == 5\n    assert candidate([], 3) == 0\n"
ASSERTS = ["assert widest_gap([1, 4, 9], 0) == 5", "assert widest_gap([], 3) == 0", "assert widest_gap([2, 8], 1) == 6"]
FUNCTION = PROMPT + BODY
TASK: dict[str, Any] = {
    "task_id": "HumanEval/9001",
    "prompt": PROMPT,
    "entry_point": "widest_gap",
    "canonical_solution": BODY,
    "test": CHECK,
}
INPUTS = {"base_input": [[[1, 4, 9], 0]], "plus_input": [[[2, 8], 1]], "atol": 0, "contract": ""}
MBPP = {"task_id": 9001, "code": FUNCTION.replace("\n", "\r\n"), "test_list": ASSERTS}
BIG = {
    "task_id": "BigCodeBench/9001",
    "complete_prompt": PROMPT,
    "instruct_prompt": "Tell the widest gap.",
    "canonical_solution": BODY,
    "code_prompt": "def widest_gap(depths, floor):\n",
    "entry_point": "widest_gap",
    "test": "import unittest\nclass TestCases(unittest.TestCase):\n    pass\n",
    "libs": "['math']",
}
JAVASCRIPT = {
    "task_id": "JavaScript/9001",
    "prompt": "/* Tell the widest gap. */\nconst widestGap = (depths) => {\n",
    "canonical_solution": "  return 0;\n}\n",
    "test": "console.assert(widestGap([]) === 0)\n",
    "entry_point": "widestGap",
    "signature": "const widestGap = (depths)",
    "docstring": "Tell the widest gap.",
    "instruction": "Write a JavaScript function.",
}
CASES = json.dumps([{"input": "3\n", "output": "9\n", "testtype": "stdin"}])
PACKED = base64.b64encode(zlib.compress(pickle.dumps(CASES))).decode()

ROWS: dict[str, list[dict[str, Any]]] = {
    "apps": [
        {
            "problem_id": 9001,
            "question": "Square a number.",
            "solutions": json.dumps(["print(int(input()) ** 2)"]),
            "input_output": json.dumps({"inputs": ["3\n"], "outputs": ["9\n"]}),
            "difficulty": "introductory",
            "url": "https://example.invalid",
            "starter_code": "",
        }
    ],
    "bigcodebench": [BIG],
    "bigcodebench_hard": [{**BIG, "q_idx": 1, "question": "How wide?", "score": 0.5, "_id": "x"}],
    "classeval": [
        {
            "task_id": "ClassEval_9001",
            "skeleton": "class Gauge:\n    def read(self):\n        pass\n",
            "solution_code": "class Gauge:\n    def read(self):\n        return 7\n",
            "class_name": "Gauge",
            "test": "import unittest\n",
            "import_statement": ["import math"],
            "methods_info": [],
            "test_classes": [],
        }
    ],
    "code_contests": [
        {
            "name": "9001_A. Square",
            "description": "Square a number.",
            "source": 2,
            "public_tests": {"input": ["3\n"], "output": ["9\n"]},
            "private_tests": {"input": [], "output": []},
            "generated_tests": {"input": ["4\n"], "output": ["16\n"]},
            "solutions": {"language": [2, 3], "solution": ["int main() {}", "print(int(input()) ** 2)"]},
        }
    ],
    "crosscodeeval": [
        {
            "prompt": "gauge = ",
            "groundtruth": "Gauge(7)",
            "right_context": "\nprint(gauge)\n",
            "metadata": {"task_id": "project/9001", "repository": "r", "file": "a/gauge.ts"},
            "crossfile_context": {"text": "// class Gauge", "list": []},
        }
    ],
    "cruxeval": [{"code": "def f(x):\n    return x * 3\n", "input": "7", "output": "21", "id": "sample_9001"}],
    "ds1000": [
        {
            "prompt": "Problem:\nSort a.\nBEGIN SOLUTION\n<code>\n",
            "reference_code": "result = sorted(a)",
            "code_context": "def test_execution(solution): ...\n",
            "metadata": {"library": "Numpy", "problem_id": 9001},
        }
    ],
    "evoeval": [
        {
            **{k: TASK[k] for k in ("prompt", "entry_point", "canonical_solution")},
            "task_id": "EvoEval/9001",
            "contract": "",
            "inputs": ["[1, 4, 9], 0"],
            "parent": "HumanEval/9001",
        },
        {**TASK, **INPUTS, "old_prompt": PROMPT, "new_prompts": []},
    ],
    "human_eval_infilling": [
        {
            **TASK,
            "task_id": "SingleLineInfilling/HumanEval/9001/L0",
            "prompt": PROMPT,
            "suffix": BODY.split("\n", 1)[1],
            "canonical_solution": BODY.split("\n", 1)[0] + "\n",
        }
    ],
    "humaneval": [TASK],
    "humaneval_plus": [{**TASK, **INPUTS}, {k: v for k, v in {**TASK, **INPUTS}.items() if k != "test"}],
    "humanevalpack": [
        {
            **JAVASCRIPT,
            "declaration": "const widestGap = (depths) => {\n",
            "buggy_solution": "  return 1;\n}\n",
            "bug_type": "value misuse",
            "failure_symptoms": "incorrect output",
            "example_test": "",
        }
    ],
    "livecodebench": [
        {
            "question_title": "Square",
            "question_content": "Square a number.",
            "platform": "codeforces",
            "question_id": "9001_A",
            "contest_id": "9001",
            "contest_date": "2024-01-06T00:00:00",
            "starter_code": "",
            "difficulty": "easy",
            "public_test_cases": CASES,
            "private_test_cases": PACKED,
            "metadata": "{}",
        }
    ],
    "mbpp": [{**MBPP, "text": "Tell the widest gap.", "test_setup_code": "", "challenge_test_list": []}],
    "mbpp_plus": [
        {**TASK, **INPUTS, "task_id": "Mbpp/9001", "assertion": ASSERTS[0]},
        {**MBPP, "prompt": "Tell the widest gap.", "test_imports": [], "source_file": "x", "test": ASSERTS[0]},
    ],
    "mbpp_sanitized": [{**MBPP, "prompt": "Tell the widest gap.", "test_imports": ["import math"], "source_file": "x"}],
    "mceval": [
        {**JAVASCRIPT, "level": "easy"},
        {**JAVASCRIPT, "instruction": "const f…\n\nProvide a concise natural language description of it."},
        {**JAVASCRIPT, "task_id": "JavaScript/9001-0-span", "mask_code": "  return [MASK];\n}\n"},
        {"task_id": "HTML/9001", "prompt": "A heading.", "instruction": "A heading.", "level": "easy"},
    ],
    "mdeval": [
        {
            "question_id": "C#/9001",
            "category": "Single",
            "subtype": "value",
            "level": "easy",
            "docstring": "The gap.",
            "canonical_solution": "class A { int F() { return 0; } }",
            "buggy_code": "class A { int F() { return 1; } }",
            "test": "",
            "instruction": "Observe the following faulty C# code",
            "example": "",
        }
    ],
    "multipl_e": [
        {
            "name": "HumanEval_9001_widest_gap",
            "language": "go_test.go",
            "prompt": "package widest_gap_test\n",
            "tests": "func TestWidest_Gap(t *testing.T) {}\n",
            "stop_tokens": ["\nfunc"],
            "doctests": "transform",
        }
    ],
    "own": [{"id": 9001, "prompt": PROMPT, "solution": BODY}],
    "repobench": [
        {
            "repo_name": "a/b",
            "file_path": "c.java",
            "context": "// Path: d.java",
            "import_statement": "import d;",
            "code": "class C {\n",
            "prompt": "",
            "next_line": "    D d;",
            "id": 0,
        },
        {
            "repo_name": "a/b",
            "file_path": "c.py",
            "context": [{"identifier": "D", "path": "d.py", "snippet": "class D"}],
            "import_statement": "import d",
            "cropped_code": "x = 1\n",
            "all_code": "",
            "next_line": "y = d.D()",
        },
    ],
    "safim": [
        {
            "task_id": "block_9001",
            "lang": "csharp",
            "prompt": "a // TODO b",
            "eval_prompt": "a {{completion}} b",
            "ground_truth": "x();",
            "unit_tests": json.dumps([{"input": "3\n", "output": ["9\n"]}]),
        }
    ],
    "santacoder_fim": [
        {
            "name": "HumanEval_9001",
            "language": "js",
            "prompt": "let a =",
            "suffix": ";\n",
            "canonical_solution": " 1",
            "tests": "console.log(a)",
        }
    ],
}
"""Name of a benchmark → a row of each of its forms."""


def polyglot(path: Path) -> Path:
    """A packed copy of a repository with one exercise."""
    folder = "polyglot/rust/exercises/practice/widest-gap"
    config = {"files": {"solution": ["src/lib.rs"], "test": ["tests/gap.rs"], "example": [".meta/example.rs"]}}
    files = {
        ".meta/config.json": json.dumps(config),
        ".meta/example.rs": "pub fn gap() -> u32 { 0 }\n",
        "src/lib.rs": "pub fn gap() -> u32 { todo!() }\n",
        "tests/gap.rs": "#[test] fn none() {}\n",
        ".docs/instructions.md": "# Instructions\n\nTell the widest gap.\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
