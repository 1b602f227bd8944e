from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchdog.contract.values import EndpointSettings
from benchdog.errors import Cancelled, EndpointError, EndpointMissing, UserError
from benchdog.models.connect import connect
from benchdog.models.discover import discover, ollama_url, places_to_look
from benchdog.models.surroundings import Surroundings, default_gateway, read_surroundings
from benchdog.models.values import Message, Request, Role
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.system.environment import Environment, read_environment
from benchdog.testing.policy import ScriptedReply, Trick, always
from benchdog.testing.raw import raw_server, sends
from benchdog.testing.server import ScriptedServer

ALONE = Surroundings()
HELLO = always(ScriptedReply(text="Hello"))
REQUEST = Request(messages=(Message(role=Role.USER, content="Hi"),))


def environment(tmp_path: Path, **variables: str) -> Environment:
    return read_environment({"HOME": str(tmp_path), **variables}, tmp_path)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("0.0.0.0:11434", "http://127.0.0.1:11434/v1"),
        ("box", "http://box:11434/v1"),
        (":9999", "http://127.0.0.1:9999/v1"),
        ("https://box", "https://box:443/v1"),
        ("http://box:7/", "http://box:7/v1"),
    ],
)
def test_ollamas_variable(variable: str, url: str) -> None:
    assert ollama_url(variable) == url


def test_places_and_their_order(tmp_path: Path) -> None:
    configured = EndpointSettings(name="gpu", url="http://gpu:8000", model="m")
    there = environment(tmp_path, OLLAMA_HOST="127.0.0.1:9")
    places = places_to_look(there, [configured], Surroundings(neighbours=("10.0.0.1",)))
    assert [(place.name, place.settings.url) for place in places] == [
        ("endpoint 'gpu'", "http://gpu:8000"),
        ("OLLAMA_HOST", "http://127.0.0.1:9/v1"),
        *((name, f"http://{host}:{port}/v1") for host in ("127.0.0.1", "10.0.0.1") for name, port in (
            ("Ollama", 11434), ("LM Studio", 1234), ("llama.cpp", 8080), ("vLLM", 8000), ("SGLang", 30000))),
    ]  # fmt: skip


def test_a_configured_server_is_preferred_and_its_settings_are_kept(tmp_path: Path) -> None:
    dead = EndpointSettings(name="dead", url=f"http://127.0.0.1:{closed_port()}")
    with ScriptedServer(HELLO) as first, ScriptedServer(HELLO) as second:
        wanted = EndpointSettings(name="mine", url=first.url, model="m", temperature=0.1)
        other = EndpointSettings(name="other", url=second.url)
        assert discover(environment(tmp_path), [dead, wanted, other], surroundings=ALONE) is wanted


def test_a_configured_server_that_is_busy_is_not_passed_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ScriptedServer(HELLO) as server:
        busy = EndpointSettings(name="busy", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert discover(environment(tmp_path), [busy, EndpointSettings(url=server.url)], surroundings=ALONE) is busy


def test_what_listens_on_a_usual_port_but_is_no_model_server_is_passed_over(tmp_path: Path) -> None:
    page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    with raw_server(sends(page.encode())) as url:
        there = environment(tmp_path, OLLAMA_HOST=url.removesuffix("/v1"))
        with pytest.raises(EndpointMissing, match=r"something answers there, but no model server \(HTTP 200\)"):
            discover(there, surroundings=ALONE, ports=[])


def test_nothing_answers(tmp_path: Path) -> None:
    port, other = closed_port(), closed_port()
    dead = EndpointSettings(name="gpu", url=f"http://127.0.0.1:{port}")
    with pytest.raises(EndpointMissing) as raised:
        discover(environment(tmp_path), [dead], surroundings=ALONE, ports=[("Ollama", other)])
    assert raised.value.message == (
        "no model server answers. Looked for:\n"
        f"  endpoint 'gpu' at http://127.0.0.1:{port}/v1: connection refused\n"
        f"  at 127.0.0.1: Ollama {other}: connection refused"
    )
    assert "`ollama serve` and `ollama pull" in (raised.value.hint or "")
    assert "`llama-server -m MODEL.gguf -c 32768 --jinja`" in (raised.value.hint or "")


def test_cancelling_ends_the_search(tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        discover(environment(tmp_path), cancel=cancel, surroundings=ALONE)


ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n"
    "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\n"
)


def test_the_default_gateway() -> None:
    assert default_gateway(ROUTES) == "172.17.0.1"
    assert default_gateway("") is None
    assert default_gateway("x\neth0\t00000000\tnonsense\t0\n") is None


@pytest.mark.parametrize(
    ("files", "variables", "neighbours"),
    [
        ({}, {}, ()),
        ({"proc/net/route": ROUTES}, {}, ()),
        ({".dockerenv": "", "proc/net/route": ROUTES}, {}, ("172.17.0.1", "host.docker.internal")),
        ({"run/.containerenv": ""}, {}, ("host.docker.internal",)),
        ({"proc/sys/kernel/osrelease": "6.6-microsoft-standard-WSL2"}, {}, ("host.docker.internal",)),
        ({"proc/net/route": ROUTES}, {"WSL_DISTRO_NAME": "Ubuntu"}, ("172.17.0.1", "host.docker.internal")),
    ],
)
def test_surroundings(
    tmp_path: Path, files: Mapping[str, str], variables: dict[str, str], neighbours: tuple[str, ...]
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    linux = environment(tmp_path, **variables)
    there = Environment(
        variables=linux.variables, cwd=tmp_path, home=tmp_path, state=tmp_path, config=tmp_path, platform="linux"
    )
    assert read_surroundings(there, tmp_path) == Surroundings(neighbours=neighbours)


def test_a_url_on_the_command_line_wins_and_takes_settings_of_the_same_address(tmp_path: Path) -> None:
    with ScriptedServer(HELLO) as server:
        configured = EndpointSettings(name="mine", url=server.url, model="theirs", temperature=0.9)
        endpoint = connect(
            environment(tmp_path), [configured], url=f"127.0.0.1:{server.port}", model="mine", clock=SystemClock()
        )
        assert endpoint.ask(REQUEST, cancel=Cancel()).text == "Hello"
        assert (server.requests[0]["model"], server.requests[0]["temperature"]) == ("mine", 0.9)
        assert endpoint.facts.hosts == (f"127.0.0.1:{server.port}",)


def test_with_cached_facts_nothing_is_asked_before_the_first_request(tmp_path: Path) -> None:
    there = environment(tmp_path)
    with ScriptedServer(HELLO) as server:
        settings = [EndpointSettings(url=server.url)]
        first = connect(there, settings, clock=SystemClock(), surroundings=ALONE).facts
        asked = len(server.paths)
        second = connect(there, settings, clock=SystemClock(), surroundings=ALONE)
        assert (second.facts, len(server.paths)) == (first, asked)
        assert asked > 0


def test_a_failure_makes_the_next_connect_ask_again(tmp_path: Path) -> None:
    there = environment(tmp_path)
    with ScriptedServer(always(ScriptedReply(trick=Trick.ERROR, status=400))) as server:
        endpoint = connect(there, (), url=server.url, clock=SystemClock())
        with pytest.raises(EndpointError):
            endpoint.ask(REQUEST, cancel=Cancel())
        asked = len(server.paths)
        connect(there, (), url=server.url, clock=SystemClock())
        assert len(server.paths) > asked


def test_a_key_that_is_not_set_is_the_persons_to_set(tmp_path: Path) -> None:
    with ScriptedServer(HELLO) as server:
        settings = [EndpointSettings(name="gpu", url=server.url, key_env="GPU_KEY")]
        with pytest.raises(UserError, match="the environment variable GPU_KEY is not set"):
            connect(environment(tmp_path), settings, clock=SystemClock(), surroundings=ALONE)
        with pytest.raises(UserError, match="characters that a key cannot have") as raised:
            connect(environment(tmp_path, GPU_KEY="a\r\nb"), settings, clock=SystemClock(), surroundings=ALONE)
        assert "a\r\nb" not in raised.value.message
        found = connect(environment(tmp_path, GPU_KEY="k"), settings, clock=SystemClock(), surroundings=ALONE)
        assert found.facts.model == "scripted"
