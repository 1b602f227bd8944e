from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from benchdog.errors import SandboxUnavailable
from benchdog.sandbox import choose
from benchdog.sandbox.bubblewrap import Bubblewrap, Features, Programs, bubblewrap_argv
from benchdog.sandbox.choose import choose_sandbox, install_line
from benchdog.sandbox.policy import Lending, Lent, Policy, Sandbox
from benchdog.sandbox.survey import Survey
from benchdog.system.environment import Environment
from benchdog.system.process import Command, kill_group, start
from benchdog.testing.sandbox_conformance import Yard, shell


def test_the_choice_is_made_once(surroundings: Environment, bubblewrap: Sandbox) -> None:
    assert choose_sandbox(surroundings, unsafe=False) is bubblewrap
    assert (bubblewrap.name, bubblewrap.unsafe) == ("bubblewrap", False)


def test_a_stray_whose_place_was_removed_goes_with_the_first_choice(surroundings: Environment, tmp_path: Path) -> None:
    state = tmp_path / "state"
    removed, used = state / "removed", state / "used"
    strays = []
    for folder in (removed, used):
        folder.mkdir(parents=True)
        command = ("bwrap", "--bind", "/", "/", "--dev", "/dev", "--unshare-user", "cat")
        strays.append(start(Command(argv=command, cwd=folder, environment={"PATH": "/usr/bin:/bin"})))
    try:
        for stray in strays:
            assert stray.stdin
            assert stray.stdout
            stray.stdin.write(b"up")
            stray.stdin.flush()
            assert os.read(stray.stdout.fileno(), 2) == b"up"
        removed.rmdir()
        choose_sandbox(replace(surroundings, state=state), unsafe=False)
        assert strays[0].wait(10) == -signal.SIGKILL
        assert strays[1].poll() is None
    finally:
        for stray in strays:
            kill_group(stray)
            for stream in (stray.stdin, stray.stdout, stray.stderr):
                assert stream
                stream.close()


def test_unsafe_must_be_asked_for(surroundings: Environment) -> None:
    sandbox = choose_sandbox(surroundings, unsafe=True)
    assert (sandbox.name, sandbox.unsafe) == ("none", True)
    assert sandbox.layers[0] == "nothing is enforced: commands run with all your rights, with network"


def test_another_system_is_told_plainly(surroundings: Environment, tmp_path: Path) -> None:
    darwin = replace(surroundings, platform="darwin", state=tmp_path)
    with pytest.raises(SandboxUnavailable) as caught:
        choose_sandbox(darwin, unsafe=False)
    assert caught.value.message == "this version has no sandbox for darwin"
    assert caught.value.hint == "--unsafe-no-sandbox is the only way here: checks then run with all your rights"


def test_without_bubblewrap_it_fails_closed(
    surroundings: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "_PROGRAM_DIRECTORIES", (str(tmp_path),))
    with pytest.raises(SandboxUnavailable) as caught:
        choose_sandbox(replace(surroundings, state=tmp_path), unsafe=False)
    assert caught.value.message == "bubblewrap is not installed (no bwrap in /usr/bin)"
    assert caught.value.hint is not None
    assert "--unsafe-no-sandbox" in caught.value.hint


def test_a_bubblewrap_that_does_not_work_fails_closed(
    surroundings: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a broken one prints, no command runs with less; what it said is told."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(choose, "_PROGRAM_DIRECTORIES", (str(tmp_path),))
    with pytest.raises(SandboxUnavailable) as caught:
        choose_sandbox(replace(surroundings, state=tmp_path / "state"), unsafe=False)
    assert caught.value.message == (
        "bubblewrap did not start the command: bwrap: No permissions to create a new namespace"
    )


@pytest.mark.parametrize(
    ("release", "line"),
    [
        ("ID=debian\n", "sudo apt-get install bubblewrap"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt-get install bubblewrap"),
        ("ID=fedora\n", "sudo dnf install bubblewrap"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install bubblewrap"),
        ("ID=arch\n", "sudo pacman -S bubblewrap"),
        ("ID=alpine\n", "sudo apk add bubblewrap util-linux"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "sudo zypper install bubblewrap"),
        ("ID=haiku\nnonsense", "install the package `bubblewrap` of your system"),
    ],
)
def test_the_install_line_fits_the_system(release: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "os-release"
    path.write_text(release)
    assert install_line(path) == line


def test_ubuntus_restriction_is_named(tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    switch.write_text("1\n")
    said = "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted"
    assert "bwrap-userns-restrict" in choose._reason(said, switch)
    switch.write_text("0\n")
    assert "bwrap-userns-restrict" not in choose._reason(said, switch)
    missing = tmp_path / "missing"
    assert "user.max_user_namespaces" in choose._reason("bwrap: setting up uid map: Permission denied", missing)


@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "/proc", "relative"])
def test_a_tree_cannot_replace_the_system(place: str, bubblewrap: Sandbox, yard: Yard) -> None:
    with pytest.raises(SandboxUnavailable, match="the tree cannot be mounted at"):
        shell(bubblewrap, replace(yard.policy(), mount_at=Path(place)), "true")


def test_an_exposed_path_that_is_not_there_is_named(bubblewrap: Sandbox, yard: Yard) -> None:
    with pytest.raises(SandboxUnavailable, match="the exposed path '/no/such/place' does not exist"):
        shell(bubblewrap, replace(yard.policy(), expose=(Path("/no/such/place"),)), "true")


def test_a_command_may_say_what_bubblewrap_says(bubblewrap: Sandbox, yard: Yard) -> None:
    """Only a failure that looks exactly like bubblewrap's own is taken for it, and then nothing is believed."""
    result = shell(bubblewrap, yard.policy(), "echo 'bwrap: all is well'; exit 0")
    assert result.exit_status == 0
    with pytest.raises(SandboxUnavailable):
        shell(bubblewrap, yard.policy(), "echo 'bwrap: cannot'; exit 1")


def test_where_no_overlay_can_be_mounted_it_copies_and_says_so(bubblewrap: Sandbox, yard: Yard) -> None:
    assert isinstance(bubblewrap, Bubblewrap)
    broken = Bubblewrap(
        bubblewrap.environment, replace(bubblewrap.programs, mount=Path("/bin/false")), Features(overlay="-Urm")
    )
    assert "private tree (overlayfs)" in broken.layers
    assert shell(broken, yard.policy(), "cat a; echo x > a").exit_status == 0
    assert "private tree (a copy for every command)" in broken.layers
    assert (yard.tree / "a").read_text() == "checked\n"


def test_a_policy_becomes_arguments_in_the_order_of_the_mounts() -> None:
    home, place = Path("/home/person"), Path("/home/person/project")
    policy = Policy(
        tree=Path("/state/merged"),
        mount_at=place,
        lent=(
            Lent(path=".venv", source=place / ".venv", how=Lending.READ_ONLY),
            Lent(path="build", source=Path("/state/1/merged"), how=Lending.PRIVATE),
        ),
        expose=(Path("/data"),),
        scratch=Path("/state/scratch"),
    )
    survey = Survey(
        home=home,
        uid=1000,
        gid=100,
        binds=(Path("/etc/passwd"), home / ".pyenv", Path("/usr")),
        links=(("usr/bin", Path("/bin")), (".pyenv", home / "tools")),
    )
    assert " ".join(bubblewrap_argv(policy, survey, Features())).split(" --") == [
        "--unshare-all",
        "unshare-user",
        "as-pid-1",
        "die-with-parent",
        "new-session",
        "uid 1000",
        "gid 100",
        "cap-drop ALL",
        "disable-userns",
        "ro-bind /etc/passwd /etc/passwd",
        "ro-bind /usr /usr",
        "symlink usr/bin /bin",
        "proc /proc",
        "dev /dev",
        "size 4294967296",
        "perms 1777",
        "tmpfs /tmp",
        "size 4294967296",
        "perms 1777",
        "tmpfs /var/tmp",
        "size 1073741824",
        "perms 0700",
        "tmpfs /home/person",
        "ro-bind /home/person/.pyenv /home/person/.pyenv",
        "symlink .pyenv /home/person/tools",
        "ro-bind /data /data",
        "bind /state/merged /home/person/project",
        "ro-bind /home/person/project/.venv /home/person/project/.venv",
        "bind /state/1/merged /home/person/project/build",
        "bind /state/scratch /run/benchdog",
        "remount-ro /",
    ]


def test_programs_are_those_of_the_system(bubblewrap: Sandbox) -> None:
    assert isinstance(bubblewrap, Bubblewrap)
    assert isinstance(bubblewrap.programs, Programs)
    assert str(bubblewrap.programs.bwrap).startswith(("/usr/", "/bin/", "/run/current-system/"))
