"""One contract for every dialect, on a real wire: what is sent, what comes back, what an account tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from core.quotas import cost_of_usage
from providers.contracts import Inspection, Told
from tests.dialects import (
    CALLS,
    HEADER,
    PROMPT,
    ROWS,
    SECONDS,
    Line,
    Lines,
    Mode,
    assert_sound,
    key_of,
    opened,
)
from tests.fakes import wire_lists
from tests.fakes.upstream import FakeUpstream

THINKING = 30
SAID = "Thank you, that is a clear answer."
HEARD = "I split the work and we shipped it on time."
CHATS = [call for call in CALLS if call[1] != "speech"]
NEVER_STREAMED_AS_JSON = {"cerebras", "groq", "cloudflare"}
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "additionalProperties": False}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    with opened(tmp_path_factory.mktemp("dialects"), thinking_tokens=THINKING) as running:
        yield running


@pytest.fixture
def line(lines: Lines, call: tuple[str, Mode]) -> Line:
    return lines[call]


def named(value: Any) -> str:
    return "-".join(value) if isinstance(value, tuple) else str(value)


def per_call(*calls: tuple[str, Mode]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", calls, ids=named)


def tokens_of(upstream: FakeUpstream) -> int:
    return upstream.counts.tokens


@per_call(*CHATS)
def test_an_answer_comes_whole_or_in_pieces_that_make_up_the_whole(line: Line) -> None:
    before = tokens_of(line.upstream)
    with line.bent("slow-prediction:3"):
        pieces, reply = line.call()
    assert "".join(pieces) == reply.text == SAID
    assert (len(pieces) > 1) == (line.mode == "stream")
    assert (reply.finish_reason, reply.model, reply.speech) == ("stop", line.route.model, None)
    assert reply.usage is not None
    assert reply.usage.total_tokens == tokens_of(line.upstream) - before
    assert reply.usage.completion_tokens == -(-len(SAID) // 4) + THINKING
    assert_sound(reply.usage)


@per_call(*(call for call in CALLS if call[1] == "speech"))
def test_a_recording_is_written_down(line: Line) -> None:
    _, reply = line.call()
    assert (reply.text, reply.model, reply.finish_reason) == (HEARD, line.route.model, "stop")
    assert reply.usage is not None
    assert reply.usage.seconds == line.seen()[-1].seconds == SECONDS
    assert reply.speech is not None
    assert [word.text for word in reply.speech.words] == HEARD.split()
    assert_sound(reply.usage)


@per_call(*CALLS)
def test_the_key_the_rows_headers_and_our_name_are_on_the_wire(line: Line) -> None:
    line.call()
    headers = line.seen()[-1].headers
    key = (
        headers.get("x-goog-api-key")
        if line.name == "gemini"
        else headers["authorization"].removeprefix("Bearer ")
    )
    assert key == key_of(line.name)
    assert headers["x-team"] == HEADER
    assert headers["user-agent"].startswith("Greenroom/")
    assert headers["accept-encoding"] == "identity"


@per_call(*CHATS)
def test_the_conversation_and_the_token_limit_are_on_the_wire(line: Line) -> None:
    line.call(max_tokens=321)
    sent = line.seen()[-1]
    assert sent.messages == [("system", "Be brief."), ("user", PROMPT)]
    assert (sent.max_tokens, sent.model) == (321, line.route.model)
    assert sent.stream == (line.mode == "stream" and line.name != "replicate")


def json_on_the_wire(name: str, body: dict[str, Any]) -> Any:
    """What stands where JSON is asked for."""
    if name == "gemini":
        config = body["generationConfig"]
        return {k: config[k] for k in ("responseMimeType", "responseJsonSchema") if k in config}
    return body.get("response_format", {})


def expected_json(name: str, kind: str) -> Any:
    if kind == "none":
        return {}
    if name == "gemini":
        wanted = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
        return wanted if kind == "schema" else {"responseMimeType": "application/json"}
    if kind == "object":
        return {"type": "json_object"}
    inner = SCHEMA if name == "cloudflare" else {"name": "reply", "strict": True, "schema": SCHEMA}
    return {"type": "json_schema", "json_schema": inner}


@pytest.mark.parametrize(
    ("call", "kind"),
    # Cohere refuses OpenAI's json_schema with 400, so its row never asks for it.
    [(c, kind) for c in CHATS for kind in ("schema", "object", "none") if (c[0], kind) != ("cohere", "schema")],
    ids=named,
)
def test_json_is_asked_for_as_the_model_can_be_held_to_it(lines: Lines, call: tuple[str, Mode], kind: Any) -> None:
    line = lines[call]
    line = replace(
        line, route=next((r for r in lines.routes(line) if r.json == kind), replace(line.route, json=kind))
    )
    if line.name == "replicate":
        kind = "none"
    pieces, reply = line.call(schema=SCHEMA)
    sent = line.seen()[-1]
    assert json_on_the_wire(line.name, sent.body) == expected_json(line.name, kind)
    assert "".join(pieces) == reply.text
    if line.mode == "stream" and line.name != "replicate":
        assert sent.stream == (kind == "none" or line.name not in NEVER_STREAMED_AS_JSON)


def test_fields_of_the_row_and_of_the_model_are_on_the_wire(lines: Lines) -> None:
    def sent(name: str, **route: Any) -> Any:
        line = lines[name, "whole"]
        replace(line, route=replace(line.route, **route)).call()
        return line.seen()[-1].body

    assert sent("groq")["reasoning_effort"] == "low"
    assert "max_completion_tokens" in sent("groq")
    assert "max_tokens" not in sent("groq")
    assert sent("openrouter")["provider"] == {"require_parameters": True}
    assert sent("deepseek", body={"top_k": 5})["top_k"] == 5
    assert sent("replicate", body={"top_k": 5})["input"]["top_k"] == 5
    config = sent("gemini", body={"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}})
    assert config["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert config["generationConfig"]["maxOutputTokens"] == 700


@per_call(*(call for call in CHATS if call[0] not in {"gemini", "replicate"}))
def test_the_model_that_really_answered_is_named(line: Line) -> None:
    _, reply = replace(line, route=replace(line.route, body={"model": "another-model"})).call()
    assert reply.model == "another-model"


@pytest.mark.parametrize("mode", ["whole", "stream", "speech"])
def test_neurons_come_from_the_header_and_without_it_from_the_rates(
    lines: Lines, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, send = lines["cloudflare", mode], HTTPAdapter.send
    told = line.call()[1].usage

    def without_header(*args: Any, **how: Any) -> requests.Response:
        response = send(*args, **how)
        response.headers.pop("cf-ai-neurons")
        return response

    monkeypatch.setattr(HTTPAdapter, "send", without_header)
    computed = line.call()[1].usage
    assert told is not None
    assert told.neurons is not None
    assert told.neurons > 0
    assert computed is not None
    assert computed.neurons is None
    assert cost_of_usage(line.route, computed).neurons == pytest.approx(told.neurons, abs=6e-4)
    assert cost_of_usage(line.route, told).neurons == pytest.approx(told.neurons, abs=6e-4)


HALF = "\ud83d"
CHARACTERS = {
    f"A clear answer {HALF}": "A clear answer \ufffd",
    f"A {HALF}{HALF} clear answer": "A \ufffd\ufffd clear answer",
    "A clear answer 😀, naïve ﷽": "A clear answer 😀, naïve ﷽",
    r"Write \ud83d or \\ud83d for it": r"Write \ud83d or \\ud83d for it",
}


@pytest.mark.parametrize("said", CHARACTERS, ids=ascii)
@per_call(*(call for call in CHATS if call[0] in {"local", "gemini", "replicate"}))
def test_whole_characters_come_through_and_half_a_one_is_replaced(
    call: tuple[str, Mode], said: str, tmp_path: Path
) -> None:
    with opened(tmp_path, [call[0]], reply=lambda _: said) as lines:
        pieces, reply = lines[call].call()
    assert "".join(pieces) == reply.text == CHARACTERS[said]
    assert reply.text.encode()


@pytest.mark.parametrize("name", ROWS)
def test_an_account_tells_of_its_models_and_nothing_is_charged(lines: Lines, name: str) -> None:
    line = lines[name, "whole"]
    line.upstream.listed = [wire_lists.row(name, line.route.model), wire_lists.row(name, "other/model")]
    charged = line.upstream.counts.charged
    found: Inspection = line.provider.inspect(5.0)
    assert found.models == (None if name == "replicate" else {line.route.model, "other/model"})
    day = Told("requests", "day", 50, max(0, 50 - charged))
    assert found.told == ((day,) if name == "openrouter" else ())
    assert line.upstream.counts.charged == charged


@pytest.mark.parametrize("name", ROWS)
def test_an_account_is_asked_with_the_key_and_the_rows_headers(lines: Lines, name: str) -> None:
    line = lines[name, "whole"]
    looked = len(line.upstream.lookups())
    line.provider.inspect(5.0)
    for call in line.upstream.lookups()[looked:]:
        given = call.headers.get("x-goog-api-key") or call.headers["authorization"].removeprefix("Bearer ")
        assert (given, call.headers["x-team"]) == (key_of(name), HEADER)
