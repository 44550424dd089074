"""Reads what a teacher answered: pure functions of its text, for the whole of what servers and models do to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_ENDED = re.compile(r"\A(?:(?!<think>).)*?</think>", re.DOTALL)


def code(text: str, language: str | None = None) -> str | None:
    """The longest fenced block of a text, of this language if there is one; null: there is no block.

    >>> code("Here:\\n```python\\nprint(1)\\n```\\nDone.")
    'print(1)\\n'
    """
    blocks = [(m[2].lower(), m[3]) for m in _FENCE.finditer(text)]
    named = [body for name, body in blocks if language and name == language.lower()]
    return max(named or [body for _, body in blocks], key=len, default=None)


def sections(text: str, names: Sequence[str]) -> dict[str, str]:
    """The tagged sections of a text by name, without the line breaks around them; what is not there is left out.

    The last section of a name counts, for models repeat the question first. A section that is not closed ends at the
    next of the names' tags or at the end of the text. A section may hold anything else, other tags too.

    >>> sections("<task>\\nAdd a < b.\\n</task> so <tests>assert True</tests>", ["task", "tests"])
    {'task': 'Add a < b.', 'tests': 'assert True'}
    """
    tags = "|".join(map(re.escape, names))
    found: dict[str, str] = {}
    for name in names:
        opened = text.rfind(f"<{name}>")
        if opened < 0:
            continue
        start = opened + len(name) + 2
        closed = text.find(f"</{name}>", start)
        if closed < 0:
            following = re.compile(f"<(?:{tags})>").search(text, start)
            closed = following.start() if following else len(text)
        found[name] = text[start:closed].strip("\r\n")
    return found


def instruction(schema: Mapping[str, Any]) -> str:
    """What is added to a prompt for teachers that cannot be held to a JSON schema."""
    lines = ["", "", "Answer with these sections and nothing else:"]
    for name, field in schema.get("properties", {}).items():
        kind = field.get("type", "string")
        about = field.get("description") or ("text" if kind == "string" else f"JSON: {kind}")
        lines.append(f"<{name}>\n{about}\n</{name}>")
    return "\n".join(lines)


def data(text: str, schema: Mapping[str, Any]) -> Any:
    """What an answer says in terms of a JSON schema: the text as JSON, a fenced block of JSON, or tagged sections.

    Of the schema, `type`, `properties`, `required`, `enum` and `items` are held against the value.
    Raises: ValueError if nothing in the text fits, with what is wrong.
    """
    tries = [text.strip(), *(m[3] for m in _FENCE.finditer(text))]
    if (start := text.find("{")) >= 0 and (end := text.rfind("}")) > start:
        tries.append(text[start : end + 1])
    wrong = "the answer has neither JSON nor the sections asked for"
    for candidate in tries:
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if (problem := misfit(value, schema)) is None:
            return value
        wrong = problem
    properties = schema.get("properties", {})
    found = sections(text, list(properties))
    if not found:
        raise ValueError(wrong)
    typed = {name: _typed(body, properties[name]) for name, body in found.items()}
    if (problem := misfit(typed, schema)) is not None:
        raise ValueError(problem)
    return typed


def _typed(body: str, schema: Mapping[str, Any]) -> Any:
    """A section as a value: text as it is (out of its fence, if it is one), anything else as JSON."""
    fenced = _FENCE.fullmatch(body.strip())
    plain = fenced[3].rstrip("\n") if fenced else body
    if schema.get("type", "string") == "string":
        return plain
    try:
        return json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a section that should be {schema['type']} is not JSON: {error}") from error


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


def misfit(value: Any, schema: Mapping[str, Any], where: str = "the answer") -> str | None:
    """What is wrong with a value under a schema; null: it fits."""
    kinds = schema.get("type")
    if kinds is not None:
        allowed = [kind for name in ([kinds] if isinstance(kinds, str) else kinds) for kind in _KINDS.get(name, ())]
        if not isinstance(value, tuple(allowed)) or (isinstance(value, bool) and bool not in allowed):
            return f"{where} should be {kinds}, it is {type(value).__name__}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} should be one of {schema['enum']}, it is {value!r:.60}"
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                return f"{where} has no {name!r}"
        for name, inner in schema.get("properties", {}).items():
            if name in value and (problem := misfit(value[name], inner, f"{name!r}")):
                return problem
    if isinstance(value, list) and isinstance(inner := schema.get("items"), Mapping):
        for number, item in enumerate(value):
            if problem := misfit(item, inner, f"item {number} of {where}"):
                return problem
    return None


def apart(text: str) -> tuple[str, str | None]:
    """An answer without the thinking that stands before it, and the thinking; null: there is none.

    >>> apart("<think>Hm.</think>\\n\\nYes.")
    ('Yes.', 'Hm.')
    """
    if match := _THINKING.match(text):
        return text[match.end() :].lstrip("\n"), match[2].strip()
    if "</think>" not in text:  # to see that by the pattern below takes 50 ns for each character
        return text, None
    if match := _ENDED.match(text):  # templates that open the tag in the prompt leave only its end in the answer
        return text[match.end() :].lstrip("\n"), match[0].removesuffix("</think>").strip()
    return text, None


def valid(value: Any) -> Any:
    """A value of which all text can be written as UTF-8: half characters, which JSON can hold, become U+FFFD."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return value
    if isinstance(value, Mapping):
        return {name: valid(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [valid(inner) for inner in value]
    return value
