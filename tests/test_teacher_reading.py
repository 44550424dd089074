"""What models answer, read: for all that servers and models do to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemill.teacher import reading
from codemill.teacher.conversation import Malformed, Refused, Request, Truncated
from codemill.teacher.hub import reply_of, usage_of
from tests.teaching import chat

SCHEMA = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "score": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["code", "score"],
}


@pytest.mark.parametrize(
    "text",
    [
        '{"code": "x", "score": 3}',
        'Sure!\n```json\n{"code": "x", "score": 3}\n```\nAnything else?',
        'Here it is: {"code": "x", "score": 3} as asked.',
        "<code>\nx\n</code>\n<score>3</score>",
        "<code>\n```python\nx\n```\n</code> <score> 3 </score>",
        "<code>x<score>3",  # never closed
        "I shall fill <code>…</code>.\n<code>x</code><score>3</score>",  # the question first
    ],
)
def test_data_is_found_in_whatever_form_it_comes(text: str) -> None:
    assert reading.data(text, SCHEMA) == {"code": "x", "score": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no idea", "neither JSON nor the sections"),
        ('{"code": "x"}', "no 'score'"),
        ('{"code": "x", "score": "three"}', "'score' should be integer, it is str"),
        ('{"code": "x", "score": true}', "should be integer, it is bool"),
        ("<code>x</code><score>three</score>", "not JSON"),
        ('{"code": "x", "score": 1, "tags": [1]}', "item 0 of 'tags' should be string"),
        ("[" * 100_000, "neither JSON"),
    ],
)
def test_what_does_not_fit_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        reading.data(text, SCHEMA)


@given(st.text(), st.text())
def test_reading_never_fails_in_another_way(text: str, more: str) -> None:
    for candidate in (text, f"<code>{text}</code>{more}", f"```{text}\n{more}\n```", f"<think>{text}"):
        reading.code(candidate)
        reading.apart(candidate)
        reading.sections(candidate, ["code", "score"])
        try:
            reading.data(candidate, SCHEMA)
        except ValueError:
            continue


def test_code_is_the_longest_block_of_its_language() -> None:
    text = "```\nlong long long\n```\n```python\na\n```\n~~~python\nab\n~~~\n"
    assert reading.code(text, "Python") == "ab\n"
    assert reading.code(text) == "long long long\n"
    assert reading.code("no block") is None
    assert reading.code("````md\n```python\nx\n```\n````\n") == "```python\nx\n```\n"


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("<think>a</think>b", ("b", "a")),
        ("a</think>\n\nb", ("b", "a")),  # the template opened it
        ("<think>never ends", ("", "never ends")),
        ("b", ("b", None)),
        ("b <think>a</think>", ("b <think>a</think>", None)),  # it writes about the tag
    ],
)
def test_thinking_is_kept_apart(text: str, apart: tuple[str, str | None]) -> None:
    assert reading.apart(text) == apart


def reply(response: Any, **request: Any) -> Any:
    return reply_of(response, Request("q", **request))


def test_a_reply_has_what_the_server_said() -> None:
    response = chat("<think>a</think>b")
    response["choices"][0]["logprobs"] = {
        "content": [{"token": "b", "logprob": -0.5, "top_logprobs": [{"token": "c", "logprob": -1.0}]}]
    }
    got = reply(response, logprobs=1)
    assert (got.text, got.thinking, got.model, got.usage.prompt, got.usage.cached) == ("b", "a", "m", 10, 4)
    assert got.logprobs[0].top == (("c", -1.0),)
    response = chat("b")
    response["choices"][0]["message"]["reasoning_content"] = "long thought"
    assert reply(response).thinking == "long thought"


def test_completions_of_base_models() -> None:
    logprobs = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{"b": -2.0}]}
    response = {"choices": [{"text": "<think>a", "finish_reason": "stop", "logprobs": logprobs}]}
    got = reply(response, complete=True)
    assert (got.text, got.thinking, got.logprobs[0].top) == ("<think>a", None, (("b", -2.0),))
    assert Request("go on", complete=True, logprobs=2).body("m", {}, structured=False) == {
        "model": "m",
        "prompt": "go on",
        "logprobs": 2,
    }


def test_an_answer_that_was_cut_off_is_never_taken_for_whole() -> None:
    with pytest.raises(Truncated) as cut:
        reply(chat("half", "length"))
    assert cut.value.reply is not None
    assert cut.value.reply.text == "half"
    assert reply(chat("half", "length"), cut_short=True).truncated


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (chat("", "content_filter"), Refused),
        ({"choices": []}, Malformed),
        ({"choices": [{}]}, Malformed),
        ({"choices": [3]}, Malformed),
        ({"choices": [{"message": {"content": None}}]}, Malformed),
        ({"choices": [{"message": {"content": "x", "refusal": "I will not"}}]}, Refused),
        ({"choices": [{"message": [], "finish_reason": []}]}, Malformed),
        ({"choices": [{"message": {"content": "\ud800{"}}]}, None),
    ],
)
def test_answers_that_are_none(response: Any, kind: type[Exception] | None) -> None:
    if kind is None:
        assert reply(response).text == "�{"
        return
    with pytest.raises(kind):
        reply(response)


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "many"}, {"prompt_tokens": -1}, {"prompt_tokens": 1e9}])
def test_a_usage_that_is_none_counts_nothing(usage: Any) -> None:
    assert usage_of({"usage": usage}).prompt == 0


def test_the_body_holds_what_was_asked_and_nothing_else() -> None:
    request = Request("q", system="s", sample=2, seed=10, logprobs=0, stop=("x",), schema=SCHEMA, extra={"min_p": 0.1})
    body = request.body("m", {"temperature": 0.5, "max_tokens": 9}, structured=True)
    assert body["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    assert (body["seed"], body["temperature"], body["max_tokens"], body["min_p"]) == (12, 0.5, 9, 0.1)
    assert (body["logprobs"], body["stop"], "top_logprobs" in body) == (True, ["x"], False)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    plain = request.body("m", {}, structured=False)
    assert "response_format" not in plain
    assert "<code>" in plain["messages"][-1]["content"]
