"""The client against a real server on loopback that misbehaves in one way at a time."""

from __future__ import annotations

import asyncio
import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from codemill.errors import RecipeError, TeacherError
from codemill.teacher import client as client_module
from codemill.teacher.calls import Calls
from codemill.teacher.client import Address, Client, retry_after
from codemill.teacher.conversation import Reply, Request, Token, TooLong, Truncated, Unanswered, Usage
from codemill.teacher.hub import Hub
from codemill.teacher.teachers import Endpoint, named
from tests.teaching import Server, chat, serving


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAUSE", 0.01)


def asked(server: Server, count: int = 1, **settings: Any) -> list[Any]:
    """What became of so many requests at once: answers or exceptions."""

    async def all_of_them() -> list[Any]:
        client = Client({server.url: 1.0}, **settings)
        try:
            bodies = ({"model": "m", "messages": [{"role": "user", "content": f"{i}"}]} for i in range(count))
            work = (client.ask("/chat/completions", body) for body in bodies)
            return await asyncio.gather(*work, return_exceptions=True)
        finally:
            await client.close()

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("way", ["busy", "error", "broken", "drop", "half"])
def test_what_may_go_well_another_time_is_asked_again(way: str) -> None:
    with serving(lambda body, attempt: way if attempt < 3 else chat("ok")) as server:
        ((answer, who, _),) = asked(server)
    assert answer["choices"][0]["message"]["content"] == "ok"
    assert (len(server.seen), who) == (3, server.url)


def test_a_stalled_server_is_asked_again() -> None:
    with serving(lambda body, attempt: "stall" if attempt == 1 else chat("ok")) as server:
        ((_, who, _),) = asked(server, stall=0.2)
    assert who == server.url
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 301])
def test_what_no_other_attempt_would_mend_stops_with_the_servers_words(status: int) -> None:
    def behave(body: Any, attempt: int) -> web.Response:
        return web.json_response({"error": {"message": "no such\x1b[31m model"}}, status=status)

    with serving(behave) as server:
        (error,) = asked(server)
    assert isinstance(error, TeacherError)
    assert f"{status} no such [31m model" in str(error)
    assert len(server.seen) == 1


def test_a_prompt_that_is_too_long_is_the_fault_of_its_row() -> None:
    words = "This model's maximum context length is 4096 tokens"
    with serving(lambda body, attempt: web.json_response({"message": words}, status=400)) as server:
        (error,) = asked(server)
    assert isinstance(error, TooLong)


def test_one_deadline_holds_for_all_attempts() -> None:
    with serving(lambda body, attempt: "error") as server:
        began = time.monotonic()
        (error,) = asked(server, deadline=2)
    assert isinstance(error, Unanswered)
    assert "500 error" in error.last
    assert time.monotonic() - began < 8
    assert len(server.seen) > 2


def test_nobody_is_there() -> None:
    async def ask() -> None:
        client = Client({"http://127.0.0.1:9/v1": 1.0}, deadline=0.2)
        try:
            await client.ask("/chat/completions", {})
        finally:
            await client.close()

    with pytest.raises(Unanswered) as error:
        asyncio.run(ask())
    assert "ClientConnectorError" in error.value.last


def test_retry_after_is_kept() -> None:
    def behave(body: Any, attempt: int) -> Any:
        return chat("ok") if attempt > 1 else web.Response(status=503, headers={"Retry-After": "0.6"})

    with serving(behave) as server:
        began = time.monotonic()
        asked(server)
    assert time.monotonic() - began >= 0.6
    assert retry_after({"Retry-After": formatdate(time.time() + 30, usegmt=True)}) == pytest.approx(30, abs=2)
    assert [retry_after({"Retry-After": said}) for said in ("", "soon", "-3", "nan")] == [0.0] * 4
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"Retry-After": "1e9"}) == 3600


def test_as_many_at_once_as_the_server_bears() -> None:
    """It refuses the ninth. (Were the limit not cut, sixteen would be there all the time, and half be refused.)"""

    def behave(body: Any, attempt: int) -> Any:
        return "busy" if server.flying > 8 else (chat("ok"), 0.02)

    with serving(behave) as server:
        answers = asked(server, 200)
    assert all(isinstance(answer, tuple) for answer in answers)
    assert server.most <= 17
    assert len(server.seen) < 300


def test_the_limit_grows_with_answers_and_is_cut_once_for_a_round() -> None:
    address = Address("http://x", 1.0, 256)
    for _ in range(1000):
        address.went_well()
    grown = address.limit
    assert 40 < grown < 50  # by one for each round of answers: the square root of 2,000 more
    began = time.monotonic()
    for _ in range(10):
        address.was_too_much(began, 0.0)
    assert address.limit == pytest.approx(grown * client_module.CUT)
    address.was_too_much(time.monotonic(), 5.0)
    assert not address.has_room(time.monotonic())


def test_addresses_are_used_by_their_weights() -> None:
    with serving(lambda b, a: (chat("ok"), 0.01)) as one, serving(lambda b, a: (chat("ok"), 0.01)) as two:

        async def ask() -> None:
            client = Client({one.url: 3.0, two.url: 1.0}, concurrency=16)
            await asyncio.gather(*(client.ask("/chat/completions", {"n": n}) for n in range(200)))
            await client.close()

        asyncio.run(ask())
    assert len(one.seen) + len(two.seen) == 200
    assert 2.0 < len(one.seen) / len(two.seen) < 4.0


def test_several_addresses_can_be_said_as_text() -> None:
    made = named("m@http://one:1/v1,http://two:2/v1=3").resolved()
    assert isinstance(made, Endpoint)
    assert made.base_url == {"http://one:1/v1": 1.0, "http://two:2/v1": 3.0}
    for wrong in ("http://one:1/v1,http://two:2/v1=much", "http://one:1/v1,http://two:2/v1=0", "http://one:1/v1,two"):
        with pytest.raises(RecipeError):
            Endpoint("m", wrong).resolved()


def test_a_server_that_changed_since_the_last_run_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, fingerprint in enumerate(("fp1", "fp1", "fp2")):
        with serving(lambda body, attempt, said=fingerprint: {**chat("ok"), "system_fingerprint": said}) as server:
            hub = Hub(Calls(tmp_path / "calls", write=True))
            try:
                hub.start(hub.answer(Request(f"{number}"), Endpoint("m", server.url))).result()
            finally:
                hub.close()
        warned = [record.message for record in caplog.records if "fingerprint changed" in record.message]
        assert len(warned) == (fingerprint == "fp2")


def test_a_base_model_goes_on_with_a_prompt(tmp_path: Path) -> None:
    """/completions: other words for the prompt, the answer and its log-probabilities than in a chat."""
    logprobs = {"tokens": ["a", ", b"], "token_logprobs": [-0.5, -0.25], "top_logprobs": [{"a": -0.5, "x": -1.5}, None]}

    def behave(body: dict[str, Any], attempt: int) -> Any:
        if attempt == 1:
            return "busy"
        finish = "length" if body["max_tokens"] == 2 else "stop"
        choice = {"index": 0, "text": "<think>a, b", "finish_reason": finish, "logprobs": logprobs}
        return {"model": "m", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}

    def ask(**more: Any) -> Reply:
        hub = Hub(Calls(tmp_path / "calls", write=True))
        try:
            request = Request("def f(", complete=True, logprobs=1, **more)
            return hub.start(hub.answer(request, Endpoint("m", server.url))).result()  # type: ignore[no-any-return]
        finally:
            hub.close()

    with serving(behave) as server:
        reply = ask(max_tokens=9)
        assert ask(max_tokens=9) == reply  # from the store
        with pytest.raises(Truncated):
            ask(max_tokens=2)
        assert ask(max_tokens=2, cut_short=True).truncated
    assert server.paths == ["/v1/completions"] * 4
    assert json.loads(server.seen[0]) == {"model": "m", "prompt": "def f(", "max_tokens": 9, "logprobs": 1}
    assert (reply.text, reply.thinking, reply.usage) == ("<think>a, b", None, Usage(3, 2))  # no chat: nobody thinks
    assert reply.logprobs == (Token("a", -0.5, (("a", -0.5), ("x", -1.5))), Token(", b", -0.25))
    with Calls(tmp_path / "calls") as calls:
        assert [record["path"] for _, _, record in calls.records()] == ["/completions"] * 2


def test_time_in_our_own_queue_does_not_count() -> None:
    """One request at a time, 0.05 s each: the last is sent after 1 s, long after the deadline of one request."""
    with serving(lambda body, attempt: (chat("ok"), 0.05)) as server:
        answers = asked(server, 20, concurrency=1, deadline=0.4)
    assert [type(answer) for answer in answers] == [tuple] * 20
    bodies = [json.loads(body)["messages"][0]["content"] for body in server.seen]
    assert bodies == [str(number) for number in range(20)]  # first come, first served


def test_another_address_answers_while_one_pauses() -> None:
    busy = web.Response(status=503, headers={"Retry-After": "60"})
    with serving(lambda body, attempt: busy) as one, serving(lambda body, attempt: chat("ok")) as two:

        async def ask() -> tuple[dict[str, Any], str, float]:
            client = Client({one.url: 9.0, two.url: 1.0}, deadline=20)
            try:
                return await client.ask("/chat/completions", {"n": 1})
            finally:
                await client.close()

        began = time.monotonic()
        _, who, _ = asyncio.run(ask())
    assert (len(one.seen), who) == (1, two.url)
    assert time.monotonic() - began < 10


def test_a_pause_beyond_the_deadline_is_not_waited_for() -> None:
    with serving(lambda body, attempt: web.Response(status=429, headers={"Retry-After": "3000"})) as server:
        began = time.monotonic()
        (error,) = asked(server, deadline=100)
    assert isinstance(error, Unanswered)
    assert time.monotonic() - began < 10


def test_an_address_that_is_down_costs_retries_only() -> None:
    with serving(lambda b, a: chat("ok")) as one, serving(lambda b, a: "busy") as two:

        async def ask() -> list[Any]:
            client = Client({one.url: 1.0, two.url: 1.0}, deadline=20)
            got = await asyncio.gather(*(client.ask("/chat/completions", {"n": n}) for n in range(50)))
            await client.close()
            return got

        assert {who for _, who, _ in asyncio.run(ask())} == {one.url}


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_ANSWER", 1000)
    with serving(lambda body, attempt: chat("x" * 5000)) as server:
        (error,) = asked(server, deadline=0.2)
    assert isinstance(error, Unanswered)
    assert "larger than" in error.last


@pytest.mark.parametrize("said", ["[]", '{"error": "overloaded"}', "1" * 5000, "[" * 100_000])
def test_json_that_is_no_answer_is_asked_again(said: str) -> None:
    def behave(body: Any, attempt: int) -> Any:
        return chat("ok") if attempt > 1 else web.Response(text=said, content_type="application/json")

    with serving(behave) as server:
        ((answer, _, _),) = asked(server)
    assert answer["choices"]


def test_the_key_comes_from_the_environment_and_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-secret")
    with serving(lambda body, attempt: web.json_response({"error": "bad key"}, status=401)) as server:
        (error,) = asked(server, api_key_env="SOME_KEY")
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(error)
    assert "SOME_KEY" in str(error)


@pytest.mark.parametrize("url", ["http://me:pass@host/v1", "http://host/v1?key=1", "ftp://host/v1", "host:8000"])
def test_addresses_with_secrets_and_other_things_are_refused(url: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Endpoint("m", url).resolved()
    assert "pass@" not in str(refused.value)


def test_an_endpoint_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(RecipeError, match="has no address"):
        named("model").resolved()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    assert Endpoint("m").resolved().base_url == "http://127.0.0.1:1/v1"
