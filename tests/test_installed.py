"""The runner that shows programs the packages of this environment."""

from __future__ import annotations

import sys

from codemill import installed


def test_outcomes_name_no_place_of_this_environment() -> None:
    program = "import numpy\nprint(numpy.__file__)\nnumpy.zeros(-1)\n"
    outcome = installed.execute(program, "assert True")
    assert outcome.verdict == "fail"
    assert "/environment/lib/" in outcome.output
    for place in (sys.prefix, sys.base_prefix):
        assert place not in f"{outcome}{installed.described()}"
