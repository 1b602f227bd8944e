from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from benchdog.errors import HostError, SandboxUnavailable
from benchdog.sandbox.layers import FOLDER, Layer, own_folder, private_layer
from benchdog.sandbox.policy import Lending, Lent, Policy, Sandbox
from benchdog.system.environment import Environment
from benchdog.system.process import Command, kill_group, start
from benchdog.testing.sandbox_conformance import Yard, listing, shell, text


def build(yard: Yard, *lent: Lent, overlay: bool = True) -> None:
    with private_layer(yard.policy(lent=lent), overlay=overlay) as layer:
        assert isinstance(layer, Layer)


def ignored(yard: Yard, path: str, how: Lending = Lending.PRIVATE, source: str = "build") -> Lent:
    return Lent(path=path, source=yard.repository / source, how=how)


@pytest.mark.parametrize("overlay", [True, False])
def test_a_layer_leaves_nothing(overlay: bool, yard: Yard) -> None:
    before = listing(yard.place)
    build(yard, ignored(yard, "build"), ignored(yard, "local.ini", Lending.COPY, "local.ini"), overlay=overlay)
    with pytest.raises(RuntimeError), private_layer(yard.policy(), overlay=overlay):
        raise RuntimeError
    assert listing(yard.place) == before


@pytest.mark.parametrize("path", ["link/build", "link", "a/build", "a"])
def test_nothing_is_lent_through_what_the_tree_put_there(path: str, yard: Yard) -> None:
    """A candidate may hold a link, or a file, where a directory is to be lent."""
    (yard.tree / "link").symlink_to(yard.place / "home")
    before = listing(yard.place)
    with pytest.raises(SandboxUnavailable) as caught:
        build(yard, ignored(yard, path))
    assert caught.value.message.startswith(f"cannot lend {path!r}: in the checked tree ")
    assert listing(yard.place) == before


@pytest.mark.parametrize("path", ["/etc", "../up", "a/../../up", "", "nul\0"])
def test_a_path_that_leaves_the_tree_is_refused(path: str, yard: Yard) -> None:
    with pytest.raises(HostError, match="is no path below the tree"):
        build(yard, ignored(yard, path))


def test_a_link_to_dependencies_shows_them_and_any_other_stays_a_link(bubblewrap: Sandbox, yard: Yard) -> None:
    elsewhere = yard.place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "library").write_text("library\n")
    (yard.repository / "node_modules").symlink_to(elsewhere)
    (yard.repository / "data").symlink_to(elsewhere)
    lent = (
        ignored(yard, "node_modules", Lending.READ_ONLY, "node_modules"),
        ignored(yard, "data", Lending.COPY, "data"),
    )
    result = shell(bubblewrap, yard.policy(lent=lent), "cat node_modules/library; ls -A; cat data/library")
    assert text(result).splitlines()[:5] == ["library", "a", "data", "node_modules", "sub"]
    assert result.exit_status != 0


def test_sockets_and_pipes_are_not_lent(bubblewrap: Sandbox, yard: Yard) -> None:
    os.mkfifo(yard.repository / "pipe")
    lent = (ignored(yard, "pipe", Lending.COPY, "pipe"),)
    assert text(shell(bubblewrap, yard.policy(lent=lent), "ls -A")) == "a\nsub\n"


def test_a_large_file_is_shown_instead_of_copied(bubblewrap: Sandbox, yard: Yard) -> None:
    os.truncate(yard.repository / "local.ini", 100 * 1024 * 1024)
    lent = (ignored(yard, "local.ini", Lending.COPY, "local.ini"),)
    line = "wc -c < local.ini; (echo x >> local.ini) 2>/dev/null || echo refused"
    assert text(shell(bubblewrap, yard.policy(lent=lent), line)) == "104857600\nrefused\n"


@pytest.mark.parametrize("name", ["with space", "comma,colon:equals=", 'quote"\\', "new\nline", "\udcff", "-o", "ü日"])
def test_odd_names_do_no_harm(name: str, bubblewrap: Sandbox, tmp_path: Path) -> None:
    place = tmp_path / name
    tree, repository = place / "tree", place / "project"
    for folder in (tree, repository / name):
        folder.mkdir(parents=True)
    (tree / "a").write_text("checked\n")
    (repository / name / "built").write_text("built\n")
    lent = (Lent(path=name, source=repository / name, how=Lending.PRIVATE),)
    policy = Policy(tree=tree, mount_at=repository, lent=lent)
    line = "cat a ./*/built; echo x > a; rm ./*/built"
    assert text(shell(bubblewrap, policy, line)) == "checked\nbuilt\n"
    assert ((tree / "a").read_text(), (repository / name / "built").read_text()) == ("checked\n", "built\n")


def test_two_layers_beside_each_other(yard: Yard) -> None:
    holder = yard.tree.parent / FOLDER
    with own_folder(yard.tree.parent) as first:
        with own_folder(yard.tree.parent) as second:
            assert {first, second} == set(holder.iterdir())
        assert set(holder.iterdir()) == {first}
    assert not holder.exists()


def test_what_a_killed_owner_left_goes_with_the_next_start(yard: Yard) -> None:
    """Also a bubblewrap that was killed half way and waits for ever, but no other program that works there."""
    left = yard.tree.parent / FOLDER / "left"
    (left / "0" / "work" / "work").mkdir(parents=True)
    (left / "0" / "work" / "work").chmod(0)
    options = ("--bind", "/", "/", "--dev", "/dev", "--unshare-user")
    stray = start(Command(argv=("bwrap", *options, "cat"), cwd=left, environment={"PATH": "/usr/bin:/bin"}))
    bystander = start(Command(argv=("cat",), cwd=left, environment={"PATH": "/usr/bin:/bin"}))
    try:
        assert stray.stdin
        assert stray.stdout
        stray.stdin.write(b"up")
        stray.stdin.flush()
        assert os.read(stray.stdout.fileno(), 2) == b"up"
        with own_folder(yard.tree.parent) as own:
            assert list(own.parent.iterdir()) == [own]
        assert stray.wait(10) == -signal.SIGKILL
        assert bystander.poll() is None
    finally:
        for process in (stray, bystander):
            kill_group(process)
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream
                stream.close()


_RUNS = """
import sys
from pathlib import Path
from benchdog.sandbox.choose import choose_sandbox
from benchdog.system.environment import read_environment
from benchdog.testing.sandbox_conformance import Yard, shell
yard = Yard(Path(sys.argv[1]))
sandbox = choose_sandbox(read_environment(), unsafe=False)
shell(sandbox, yard.policy(scratch=yard.place), 'exec 3> "$BENCHDOG_SCRATCH/line"; echo up >&3; sleep 600 & sleep 600')
"""


def test_killing_benchdog_ends_its_commands(bubblewrap: Sandbox, surroundings: Environment, yard: Yard) -> None:
    line = yard.place / "line"
    os.mkfifo(line)
    reader = os.open(line, os.O_RDONLY | os.O_NONBLOCK)
    command = Command(
        argv=(sys.executable, "-c", _RUNS, str(yard.place)),
        cwd=yard.place,
        environment={**surroundings.variables, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    process = start(command)
    try:
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        assert poll.poll(20_000), "it never came up"
        assert os.read(reader, 10) == b"up\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        assert poll.poll(10_000) == [(reader, select.POLLHUP)]
        assert list((yard.tree.parent / FOLDER).iterdir()), "there is something to clean"
        assert text(shell(bubblewrap, yard.policy(), "cat a")) == "checked\n"
        assert [path.name for path in yard.tree.parent.iterdir()] == ["tree"]
    finally:
        kill_group(process)
        os.close(reader)
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream
            stream.close()
