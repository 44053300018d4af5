"""The fake's replies are ones the real services could send: published schemas and Google's own client agree."""

from __future__ import annotations

import functools
import importlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import requests

from tests.fakes.asking import ask, chat_body, chat_url
from tests.fakes.upstream import Exchange, FakeUpstream

SPECS = Path(__file__).parent / "data" / "specs"
OPENAI = ["cerebras", "groq", "openrouter", "deepseek", "huggingface", "cloudflare", "mistral", "nvidia", "local"]
OPENAI += ["together", "fireworks", "cohere", "sambanova"]


@pytest.fixture
def http_session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@functools.cache
def validator(schema: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((SPECS / f"{schema}.schema.json").read_text()))


def check(schema: str, body: Any) -> None:
    validator(schema).validate(body)


@pytest.mark.parametrize("provider", [*OPENAI, "gemini"])
@pytest.mark.parametrize("step", ["ok", "empty", "truncated", "length-empty", "prose", "filtered"])
def test_a_reply_is_one_the_real_service_could_send(
    provider: str, step: str, http_session: requests.Session
) -> None:
    with FakeUpstream(provider, thinking_tokens=3) as fake:
        fake.always(step)
        reply = ask(fake, http_session)
    if reply.status_code != 200:
        assert (step, provider) in {("filtered", "deepseek"), ("filtered", "groq"), ("filtered", "openrouter")}
        return
    own = provider if provider in {"cerebras", "groq", "openrouter"} else "openai"
    names = {"cerebras": "cerebras_chat", "groq": "groq_chat", "openrouter": "openrouter_chat"}
    check("gemini_response" if provider == "gemini" else names.get(own, "openai_chat_completion"), reply.json())
    if provider != "gemini":
        check("openai_chat_completion", reply.json())


def test_a_schema_that_would_accept_anything_proves_nothing() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("openai_chat_completion", {"id": "x", "object": "chat.completion", "created": 1, "model": "m"})
    with pytest.raises(jsonschema.ValidationError):
        check("gemini_response", {"candidate": []})


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize("provider", OPENAI)
def test_a_stream_is_chunks_then_usage_then_done(provider: str, http_session: requests.Session) -> None:
    said = "Tell me about a time you disagreed with a colleague."
    with FakeUpstream(provider, reply=lambda _: said) as fake:
        options: dict[str, Any] = {"stream_options": {"include_usage": True}} if provider != "mistral" else {}
        reply = ask(fake, http_session, stream=True, **options)
        tokens = fake.counts.tokens
    *bodies, done = events(reply.text)
    chunks = [json.loads(body) for body in bodies]
    for chunk in chunks:
        check("openai_chat_chunk", chunk)
        if provider in {"cerebras", "openrouter"}:
            check(f"{provider}_chunk", chunk)
    assert done == "[DONE]"
    assert "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]) == said
    assert chunks[-1]["usage"]["total_tokens"] == tokens
    assert (": OPENROUTER PROCESSING" in reply.text) == (provider == "openrouter")


@pytest.mark.parametrize("provider", OPENAI)
def test_usage_is_streamed_when_asked_for_and_some_send_it_always(
    provider: str, http_session: requests.Session
) -> None:
    with FakeUpstream(provider) as fake:
        reply = ask(fake, http_session, stream=True)
    assert ('"usage"' in reply.text) == (provider in {"openrouter", "mistral"})


@pytest.mark.parametrize(
    ("provider", "more", "status"),
    [
        ("mistral", {"stream_options": {"include_usage": True}}, 422),
        ("groq", {"response_format": {"type": "json_schema"}}, 400),
        ("cloudflare", {"response_format": {"type": "json_object"}}, 400),
        ("cerebras", {"response_format": {"type": "json_schema"}, "model": "gpt-oss-120b"}, 400),
        ("cerebras", {"response_format": {"type": "json_schema"}}, 200),
        ("deepseek", {"response_format": {"type": "json_object"}}, 200),
        ("cohere", {"response_format": {"type": "json_object"}}, 200),
    ],
)
def test_some_refuse_to_stream_what_they_would_answer_whole(
    provider: str, more: dict[str, Any], status: int, http_session: requests.Session
) -> None:
    with FakeUpstream(provider) as fake:
        assert ask(fake, http_session, stream=True, **more).status_code == status
        assert ask(fake, http_session, **more).status_code == 200
        assert fake.counts.charged == 1 + (status == 200)


@pytest.mark.parametrize("step", ["stream-error", "stream-no-end"])
def test_a_broken_stream_never_says_done(step: str, http_session: requests.Session) -> None:
    with FakeUpstream("cerebras") as fake:
        fake.plan(step)
        bodies = [json.loads(body) for body in events(ask(fake, http_session, stream=True).text)]
    assert all(not choice.get("finish_reason") for body in bodies for choice in body.get("choices", []))
    if step == "stream-error":
        check("cerebras_stream_error", bodies[-1])


def test_an_exchange_reads_the_same_in_both_dialects(http_session: requests.Session) -> None:
    with FakeUpstream("cerebras") as one, FakeUpstream("gemini") as two:
        said = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": [{"text": "Hi"}]}]
        reply = ask(one, http_session, messages=said, response_format={"type": "json_object"}, max_tokens=9)
        assert reply.json()["choices"][0]["message"]["content"] == "{}"
        contents = [{"role": "user", "parts": [{"text": "Hi"}]}]
        config = {"responseMimeType": "application/json", "maxOutputTokens": 9}
        system = {"parts": [{"text": "Be kind."}]}
        ask(two, http_session, contents=contents, systemInstruction=system, generationConfig=config)
        seen: list[Exchange] = [*one.requests(), *two.requests()]
    assert seen[0].messages == seen[1].messages == [("system", "Be kind."), ("user", "Hi")]
    assert [exchange.wants_json for exchange in seen] == [True, True]
    assert [exchange.max_tokens for exchange in seen] == [9, 9]
    assert seen[1].model == "gemini-3.5-flash-lite"


@pytest.fixture(scope="module")
def google_model() -> Any:
    """Builds a model of Google's own SDK that talks to a fake."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        genai: Any = importlib.import_module("google.generativeai")
        generativelanguage: Any = importlib.import_module("google.ai.generativelanguage")

    def build(fake: FakeUpstream) -> Any:
        options = {"api_key": "k", "api_endpoint": fake.base_url}
        model = genai.GenerativeModel("gemini-3.5-flash-lite", system_instruction="Be kind.")
        model._client = generativelanguage.GenerativeServiceClient(transport="rest", client_options=options)
        return model

    return build


def test_googles_own_client_understands_the_fake(google_model: Any) -> None:
    said = "What did you learn from that? Take your time."
    options = {"retry": None, "timeout": 10}
    with FakeUpstream("gemini", reply=lambda _: said, thinking_tokens=5) as fake:
        model = google_model(fake)
        reply = model.generate_content("Hello", request_options=options)
        streamed = model.generate_content("Hello", stream=True, request_options=options)
        assert reply.text == said
        assert reply.candidates[0].finish_reason.name == "STOP"
        assert "".join(part.text for part in streamed) == said
        assert reply.usage_metadata.total_token_count * 2 == fake.counts.tokens
        exchange = fake.requests()[0]
        assert exchange.int_enums
        assert exchange.messages == [("system", "Be kind."), ("user", "Hello")]
        fake.plan("filtered", "truncated", "429-day")
        assert (
            model.generate_content("Hello", request_options=options).prompt_feedback.block_reason.name == "SAFETY"
        )
        cut = model.generate_content("Hello", request_options=options)
        assert cut.candidates[0].finish_reason.name == "MAX_TOKENS"
        with pytest.raises(Exception, match="quota") as refused:
            model.generate_content("Hello", request_options=options)
        assert type(refused.value).__name__ == "TooManyRequests"
        model._client.transport.close()


@pytest.mark.parametrize("step", ["ok", "stream-error", "truncated"])
def test_gemini_streams_as_events_and_as_one_array(step: str, http_session: requests.Session) -> None:
    with FakeUpstream("gemini") as fake:
        fake.always(step)
        url = chat_url(fake, "streamGenerateContent")
        array = http_session.post(url, json=chat_body(fake), timeout=10).json()
        lines = events(http_session.post(f"{url}?alt=sse", json=chat_body(fake), timeout=10).text)
    good = [body for body in array if "error" not in body]
    assert len(array) - len(good) == (step == "stream-error")
    for body in good:
        check("gemini_response", body)
    assert len(lines) == len(array)
