from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.errors import ContextOverflow, EndpointError, ProtocolError
from benchdog.models.problems import BadOutput, Busy, Refusal, explain, recognise

URL = "http://127.0.0.1:8080/v1"


def refused(status: int, error: Any, **more: Any) -> EndpointError:
    body = error if isinstance(error, bytes) else json.dumps({"error": error}).encode()
    return explain(Refusal(url=URL, status=status, body=body, model="m", **more))


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        ({"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096, "message":
          "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it"}, 4096),
        ("request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096),
        ({"message": "This model's maximum context length is 32768 tokens. However, you requested 8192 output tokens "
          "and your prompt contains at least 24577 input tokens", "type": "BadRequestError", "code": 400}, 32768),
        ("max_completion_tokens=9 cannot be greater than max_model_len=2048", 2048),
        ("The input (400013 tokens) is longer than the model's context length (262144 tokens).", 262144),
        ("The decoder prompt (length 9000) is longer than the maximum model length of 4096.", 4096),
        ("The number of tokens to keep from the initial prompt is greater than the context length "
         "(n_keep: 13055>= n_ctx: 4096). Try to load the model with a larger context length", 4096),
        ("Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", 7424),
        ("Trying to keep the first 9000 tokens when context the overflows.", None),
        ("the prompt is longer than the context length currently available to the model", None),
        ("the input length exceeds the context length", None),
        ("prompt too long; exceeded max context length by 12 tokens", None),
        ({"message": "too long", "code": "context_length_exceeded"}, None),
    ],
)  # fmt: skip
def test_overflows_are_told_and_the_limit_is_learnt(error: Any, limit: int | None) -> None:
    found = refused(400, error)
    assert isinstance(found, ContextOverflow)
    assert found.limit == limit


@pytest.mark.parametrize("text", ["too many tokens, please wait", "rate limit: 9000 tokens a minute", "invalid tools"])
def test_other_refusals_are_no_overflow(text: str) -> None:
    found = refused(429, text)
    assert type(found) is EndpointError
    assert found.message == f"{URL} answered HTTP 429: {text}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"no such thing"}}',
        b'{"error":"no such thing"}',
        b'{"object":"error","message":"no such thing"}',
        b'{"detail":"no such thing"}',
        b"no such thing",
    ],
)
def test_every_shape_of_an_error_is_read(body: bytes) -> None:
    assert refused(400, body).message == f"{URL} answered HTTP 400: no such thing"


def test_a_refused_key_names_its_variable() -> None:
    assert refused(401, "bad key", key_env="MY_KEY").hint == (
        "the key in the environment variable MY_KEY (key_env) is not accepted there"
    )
    assert 'key_env = "…"' in (refused(403, "no key").hint or "")


def test_a_loading_server_is_busy() -> None:
    assert isinstance(refused(503, {"message": "Loading model", "type": "unavailable_error"}), Busy)
    assert isinstance(refused(500, "server busy, please try again"), Busy)
    assert not isinstance(refused(500, "division by zero"), Busy)


def test_a_web_page_is_quoted_and_named() -> None:
    found = refused(502, b"<!DOCTYPE html><title>\x1b]0;evil\x07Bad gateway</title>")
    assert isinstance(found, ProtocolError)
    assert found.message == (
        f"{URL} answered HTTP 502 '<!DOCTYPE html><title>Bad gateway</title>': this looks like a web page "
        "(another program's port, a proxy, a login), not like a model server"
    )


def test_a_redirect_is_not_followed_but_told() -> None:
    assert isinstance(refused(302, b""), ProtocolError)


def test_output_that_the_server_could_not_read_is_the_models_fault() -> None:
    found = refused(500, "error parsing tool call: raw='{\"path\": 'x'', err=invalid character")
    assert isinstance(found, BadOutput)
    assert found.raw == "{\"path\": 'x'"
    other = recognise("The model produced output that does not match the expected peg-native format", None, URL)
    assert isinstance(other, BadOutput)
    assert other.raw == ""


@given(st.binary(max_size=200), st.integers(300, 599))
def test_any_answer_becomes_an_error_that_is_safe_to_show(body: bytes, status: int) -> None:
    found = explain(Refusal(url=URL, status=status, body=body))
    assert found.message.isprintable()
