"""Large-scale diverse instruct: web text → seed sentences → question by a specification → solution with tests →
explained.

    clean    what of a page can be the seed of a question
    ask      a question, by a language, a difficulty, a type and a scenario that are drawn
    solve    an answer with tests by a stronger teacher, run; then explained, and run again

From: OpenCoder 4.1, after MAmmoTH2 (arXiv 2405.03548): the four steps, and temperature 1.0 for questions. The wording
is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import codemill as cm
from codemill.prompts.educational import answered
from codemill.prompts.mending import programmed
from codemill.prompts.method import chat, excerpt, method, missing, run, title, unfit
from codemill.prompts.snippets import HOW
from codemill.specification import drawn
from codemill.teacher.conversation import Conversation, Unusable

CLEAN = """Here is text of a web page:

{content}

Pick the sentences that a question about programming could grow out of: facts, rules, problems, examples. Leave out
navigation, advertisements, names of people, and what is not about programming or anything a program could do. Write the
picked sentences as they are, one a line. If there are none, write NONE."""
ASK = """Write a question inspired by the text below. It is about {language}, and {difficulty}.
{asks} {says}
The question is complete by itself and does not mention the text. Write the question and nothing else.

Text:

{content}"""
SOLVE = """{task}

Answer with a complete {language} program that solves this, and with tests of it. {how}"""
WORDS = """{task}

Answer completely. Put code in fences."""
REPAIR = """The program does not pass the tests: {outcome}, {detail}
Find out which of them is wrong, and write both again."""
REFINE = """It passes. Now make the answer one to learn from: the program with comments where they help, the same
otherwise, then an explanation of how it works and why. The tests must still pass."""

REFINED = {
    "type": "object",
    "properties": {"program": {"type": "string"}, "explanation": {"type": "string"}},
    "required": ["program", "explanation"],
}


@method(version=1, reads=("content",), prompt=CLEAN, drops={"no_seed": "the page holds nothing to ask about"})
def clean(row: dict[str, Any], *, chars: int = 8000, least_chars: int = 40) -> Conversation:
    """The sentences of a page that a question can grow out of, as `content`."""
    reply = yield cm.Request(CLEAN.format(content=excerpt(row["content"], chars)), temperature=0.0)
    text = reply.text.strip()
    if text.strip(".").upper() == "NONE" or len(text) < least_chars:
        return cm.Drop("no_seed", text[:100])
    if reason := unfit(text):
        return cm.Drop(reason)
    return [{"content": text}]


@method(version=1, reads=("seed_id", "content"), prompt=ASK)
def ask(row: dict[str, Any], *, specification: Mapping[str, Any]) -> Conversation:
    """A question inspired by seed sentences, at temperature 1.0. What it is to be is drawn from the specification."""
    of = drawn(row["id"], specification)
    kind = specification["types"][of["types"]]
    scenario = specification["scenarios"].get(of.get("scenarios", ""), {"says": ""})
    asked = ASK.format(
        language=title(of["languages"]), difficulty=of["difficulties"], asks=kind["asks"], says=scenario["says"],
        content=row["content"],
    )  # fmt: skip
    known = {"language": of["languages"], "difficulty": of["difficulties"], "task_type": of["types"]}
    try:
        reply = yield cm.Request(asked, temperature=1.0)
    except Unusable as error:
        return {**known, "reason": error.reason, "value": str(error)[:300]}
    reason = unfit(reply.text)
    return {**known, **({"reason": reason} if reason else {"instruction": reply.text.strip()})}


def _notes(*, specification: Mapping[str, Any], runner: str, **_: Any) -> list[str]:
    return missing(specification["languages"], runner)


@method(
    version=2,
    reads=("seed_id", "language", "difficulty", "task_type", "instruction"),
    prompt=SOLVE + WORDS + REPAIR + REFINE,
    notes=_notes,
)
def solve(
    row: dict[str, Any], *, specification: Mapping[str, Any], tries: int = 2, refine: bool = True
) -> Conversation:
    """An answer with tests, run; mended if they fail; then with comments and an explanation, and run again.

    Questions of a type without tests are answered in words.
    """
    language, known = row["language"], {name: row[name] for name in ("difficulty", "task_type", "instruction")}
    if not specification["types"][row["task_type"]]["tests"]:
        reply = yield cm.Request(WORDS.format(task=row["instruction"]))
        reason = unfit(reply.text)
        text = reply.text.strip()
        return {
            **known,
            **({"reason": reason} if reason else {"output": text, "messages": chat(row["instruction"], text)}),
        }
    asked = SOLVE.format(task=row["instruction"], language=title(language), how=HOW.get(language, ""))
    found = yield from programmed(asked, language, tries, REPAIR)
    if found.reason:
        return {**known, **found.dropped}
    said, proof = found.said, found.proof
    output = answered(None, said["program"], language)
    if refine and proof["outcome"] == "pass":
        messages = [*found.messages, {"role": "user", "content": REFINE}]
        said, output, proof = yield from _refined(messages, said, output, proof, language)
    turns = chat(row["instruction"], output)
    return {**known, "program": said["program"], "tests": said["tests"], "output": output, "messages": turns, **proof}


def _refined(messages: Any, said: dict[str, Any], output: str, proof: dict[str, Any], language: str) -> Any:
    """The commented program with its explanation, if it still passes; else what was there before."""
    try:
        reply = yield cm.Request(messages, schema=REFINED, code={"program": language})
    except Unusable:
        return said, output, proof
    program = reply.data["program"]
    if unfit(program, reply.data["explanation"]):
        return said, output, proof
    again = yield from run(program, said["tests"], language)
    if again["outcome"] != "pass":
        return said, output, proof
    better = answered(None, program, language, reply.data["explanation"])
    return {**said, "program": program}, better, {**again, "attempts": proof["attempts"] + 1}
