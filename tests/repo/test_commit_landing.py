"""A landing as a commit holds exactly the verified changes as the person's own git makes them, and can be undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from repo_world import CLOCK, World, text

from benchdog.errors import BenchdogError, Conflict, UserError
from benchdog.repo import Repository, Undone, apply_commit, pending_journal, roll_back
from benchdog.trees import Mode

MESSAGE = "Add, do not subtract\n\nWhy: ü\n"
GOAL = {
    "a.txt": text("ONE\n"),
    "b.txt": None,
    "dir/c.txt": text("three\n", Mode.EXECUTABLE),
    "new/d.txt": text("four\n"),
    "link": (Mode.SYMLINK, b"a.txt"),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "one\n")
    world.write("b.txt", "two\n")
    world.write("dir/c.txt", "three\n")
    world.write("own.txt", "theirs\n")
    world.commit("first")
    return world


def land(repository: Repository, journal: str, goal: object = None, **options: str) -> tuple[str, str | None]:
    base = repository.snapshot().tree
    tree = repository.put(base, GOAL if goal is None else goal)  # type: ignore[arg-type]  # a mapping of edits
    landing = apply_commit(
        repository,
        base,
        tree,
        journal,
        how=options.get("how", "commit"),
        name=options.get("name"),
        message=MESSAGE,
        clock=CLOCK,
    )
    assert landing.commit is not None
    return landing.commit, landing.ref


def refs(world: World) -> dict[str, str]:
    lines = world.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {line.split(" ")[0]: line.split(" ")[1] for line in lines}


def test_a_branch_leaves_files_index_and_head_alone(world: World) -> None:
    world.write("untracked", "mine\n")
    before, own, first = world.picture(), world.own_git(), world.git("rev-parse", "HEAD")
    with world.repository() as repository:
        commit, ref = land(repository, "one", how="branch", name="fix/add")
        assert ref == "refs/heads/fix/add"
        assert world.picture() == before
        changed = {path for path, seen in world.own_git().items() if own.get(path) != seen}
        assert all(path.startswith(("refs/heads/fix", "logs")) for path in changed), changed
        assert refs(world) == {"refs/heads/main": first, ref: commit, "refs/benchdog/one": commit}
        assert world.git("log", "-1", "--format=%P|%B|%an", commit) == f"{first}|{MESSAGE}|Ada Test"
        assert world.git("diff", "--name-status", first, commit).splitlines() == [
            "M\ta.txt",
            "D\tb.txt",
            "M\tdir/c.txt",
            "A\tlink",
            "A\tnew/d.txt",
        ]
        assert roll_back(repository, "one", CLOCK) == Undone(
            paths=("a.txt", "b.txt", "dir/c.txt", "link", "new/d.txt"), undone="refs/benchdog/undone/one"
        )
        assert refs(world) == {
            "refs/heads/main": first,
            "refs/benchdog/one": commit,
            "refs/benchdog/undone/one": commit,
        }
    assert world.picture() == before
    assert {path: seen for path, seen in world.own_git().items() if not path.startswith(("logs", "refs"))} == {
        path: seen for path, seen in own.items() if not path.startswith(("logs", "refs"))
    }


def test_a_commit_on_the_current_branch_and_back(world: World) -> None:
    world.write("own.txt", "theirs, edited\n")
    world.write("staged.txt", "staged\n")
    world.git("add", "staged.txt")
    world.write("untracked", "mine\n")
    before, first = world.picture(), world.git("rev-parse", "HEAD")
    status, index = world.git("status", "--porcelain"), world.git("ls-files", "--stage")
    with world.repository() as repository:
        commit, ref = land(repository, "one")
        assert ref == "refs/heads/main"
        assert refs(world) == {"refs/heads/main": commit, "refs/benchdog/one": commit}
        assert world.git("rev-parse", "HEAD^") == first
        assert world.git("status", "--porcelain") == status
        assert world.git("diff", "--name-only", "HEAD^", "HEAD").split() == [
            *("a.txt", "b.txt", "dir/c.txt", "link", "new/d.txt")
        ]
        assert (world.root / "a.txt").read_text() == "ONE\n"
        undone = roll_back(repository, "one", CLOCK)
        assert undone.commit is None
    assert refs(world) == {"refs/heads/main": first, "refs/benchdog/one": commit, "refs/benchdog/undone/one": commit}
    assert world.picture() == before
    assert world.git("status", "--porcelain") == status
    assert world.git("ls-files", "--stage") == index


def test_after_later_commits_a_roll_back_is_a_commit_of_its_own(world: World) -> None:
    with world.repository() as repository:
        commit, _ = land(repository, "one")
        world.write("later.txt", "later\n")
        later = world.commit("later")
        undone = roll_back(repository, "one", CLOCK)
        assert undone.commit == world.git("rev-parse", "HEAD")
        assert undone.undone == "refs/benchdog/undone/one"
        assert world.git("rev-parse", "HEAD^") == later
        assert world.git("log", "-1", "--format=%B").startswith('Revert "Add, do not subtract"')
        assert world.git("diff", "--name-only", f"{commit}^", "HEAD") == "later.txt"
        assert world.git("status", "--porcelain") == ""


def test_a_roll_back_refuses_where_a_later_commit_builds_on_it(world: World) -> None:
    with world.repository() as repository:
        land(repository, "one")
        world.write("a.txt", "ONE, built upon\n")
        world.commit("later")
        before, seen = world.picture(), refs(world)
        with pytest.raises(Conflict) as caught:
            roll_back(repository, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        world.git("reset", "-q", "--hard", "HEAD^^")
        with pytest.raises(Conflict):
            roll_back(repository, "one", CLOCK)
        world.git("reset", "-q", "--hard", seen["refs/heads/main"])
        world.write("a.txt", "ONE\n")
        with pytest.raises(Conflict) as caught:
            roll_back(repository, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        world.git("checkout", "-q", "a.txt")
        assert (world.picture(), refs(world)) == (before, seen)


def test_a_roll_back_refuses_on_another_branch_and_with_staged_work(world: World) -> None:
    with world.repository() as repository:
        land(repository, "one")
        world.git("checkout", "-q", "-b", "other")
        with pytest.raises(Conflict, match="is not checked out"):
            roll_back(repository, "one", CLOCK)
        world.git("checkout", "-q", "main")
        world.write("a.txt", "staged\n")
        world.git("add", "a.txt")
        world.write("a.txt", "ONE\n")
        with pytest.raises(Conflict) as caught:
            roll_back(repository, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        land(repository, "two", {"own.txt": text("x\n")}, how="branch", name="fix")
        world.git("stash", "-q")
        world.git("checkout", "-q", "fix")
        with pytest.raises(Conflict, match="is checked out"):
            roll_back(repository, "two", CLOCK)


@pytest.mark.parametrize("staged", [True, False])
def test_a_commit_refuses_paths_with_uncommitted_work(world: World, staged: bool) -> None:
    world.write("a.txt", "work in progress\n")
    if staged:
        world.git("add", "a.txt")
        world.write("a.txt", "one\n")
    before, own = world.picture(), world.own_git()
    with world.repository() as repository:
        with pytest.raises(Conflict, match="uncommitted work") as caught:
            land(repository, "one")
        assert caught.value.paths == ("a.txt",)
        assert (world.picture(), world.own_git()) == (before, own)
        base = repository.snapshot().tree
        landing = apply_commit(
            repository, base, repository.put(base, GOAL), "two", how="branch", name="fix", message="x", clock=CLOCK
        )
        assert landing.notes == ("the commit holds uncommitted work of yours too: a.txt",)


def test_work_that_git_was_told_not_to_see_is_not_committed(world: World) -> None:
    world.git("update-index", "--assume-unchanged", "a.txt")
    world.write("a.txt", "local settings\n")
    with world.repository() as repository, pytest.raises(Conflict, match=r"uncommitted work.*'a.txt'"):
        land(repository, "one")


def test_a_commit_refuses_in_the_middle_of_a_merge(world: World) -> None:
    world.git("checkout", "-q", "-b", "side")
    world.write("own.txt", "side\n")
    world.commit("side")
    world.git("checkout", "-q", "main")
    world.git("merge", "-q", "--no-commit", "--no-ff", "side")
    own = world.own_git()
    with world.repository() as repository:
        with pytest.raises(UserError, match="MERGE_HEAD"):
            land(repository, "one")
        assert world.own_git() == own


def test_a_detached_head_moves_alone(world: World) -> None:
    first = world.git("rev-parse", "HEAD")
    world.git("checkout", "-q", "--detach")
    with world.repository() as repository:
        commit, ref = land(repository, "one")
        assert (ref, world.git("rev-parse", "HEAD"), refs(world)["refs/heads/main"]) == ("HEAD", commit, first)
        roll_back(repository, "one", CLOCK)
        assert world.git("rev-parse", "HEAD") == first
        assert world.git("status", "--porcelain") == ""


def test_the_first_commit_of_an_empty_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("untracked", "mine\n")
    before = world.picture()
    with world.repository() as repository:
        commit, ref = land(repository, "one", {"a.txt": text("one\n")})
        assert (ref, world.git("rev-list", "--all", "--count")) == ("refs/heads/main", "1")
        assert world.git("ls-tree", "-r", "--name-only", commit) == "a.txt"
        assert world.git("status", "--porcelain") == "?? untracked"
        roll_back(repository, "one", CLOCK)
    assert world.picture() == before
    assert world.git("status", "--porcelain") == "?? untracked"


def test_a_repository_with_longer_ids(tmp_path: Path) -> None:
    library = World(tmp_path / "library", git=False)
    world = World(tmp_path / "main", git=False)
    for own in (library, world):
        own.git("init", "-q", "-b", "main", "--object-format=sha256")
        own.write("a.txt", "one\n")
        own.write("b.txt", "two\n")
        own.commit()
    world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.root), "lib")
    first = world.commit()
    before, index = world.picture(), world.git("ls-files", "--stage")
    with world.repository() as repository:
        base = repository.snapshot()
        with repository.checkout(base.tree) as checkout:
            assert checkout.harvest().tree == base.tree
        commit, _ = land(repository, "one", {"a.txt": text("ONE\n"), "b.txt": None})
        assert world.git("diff", "--name-status", first, commit).splitlines() == ["M\ta.txt", "D\tb.txt"]
        assert world.git("status", "--porcelain") == ""
        roll_back(repository, "one", CLOCK)
    assert (world.picture(), world.git("ls-files", "--stage")) == (before, index)
    assert world.git("rev-parse", "HEAD") == first


def test_a_branch_needs_a_name_that_is_free(world: World) -> None:
    with world.repository() as repository:
        for name in ("main", "", "-x", "a..b", "@{-1}", "with space", "main/under"):
            with pytest.raises(BenchdogError):
                land(repository, f"one{len(name)}", how="branch", name=name)
        assert set(refs(world)) == {"refs/heads/main"}
        assert pending_journal(repository) is None


def test_without_git_there_is_no_commit(tmp_path: Path) -> None:
    world = World(tmp_path, git=False)
    world.write("a.txt", "one\n")
    with world.repository() as repository:
        for how in ("commit", "branch"):
            with pytest.raises(UserError, match="is no git repository") as caught:
                land(repository, "one", how=how, name="x")
            assert caught.value.exit_status == 2


def test_git_cleans_exactly_the_changed_paths(world: World) -> None:
    world.git("config", "core.autocrlf", "true")
    world.git("config", "filter.shout.clean", "tr a-z A-Z")
    world.git("config", "filter.shout.smudge", "cat")
    world.git("config", "filter.shout.required", "true")
    world.write(".gitattributes", "*.loud filter=shout\nraw.txt -text\n")
    world.write("x.loud", "before\n")
    world.write("raw.txt", "keeps\r\n")
    world.write("win.txt", "one\r\ntwo\r\n")
    world.commit("filters")
    with world.repository() as repository:
        commit, _ = land(
            repository,
            "one",
            {
                "x.loud": text("after\n"),
                "new/y.loud": text("new\n"),
                "raw.txt": text("still\r\n"),
                "win.txt": text("one\r\nTWO\r\n"),
            },
        )
        blob = {path: world.git("cat-file", "blob", f"{commit}:{path}") for path in ("x.loud", "new/y.loud")}
        assert blob == {"x.loud": "AFTER", "new/y.loud": "NEW"}
        assert world.git("cat-file", "-s", f"{commit}:raw.txt") == "7"
        assert world.git("cat-file", "-s", f"{commit}:win.txt") == "8"
        assert (world.root / "win.txt").read_bytes() == b"one\r\nTWO\r\n"
        assert (world.root / "x.loud").read_bytes() == b"after\n"
        assert world.git("diff", "--name-only", f"{commit}^", commit).split() == [
            *("new/y.loud", "raw.txt", "win.txt", "x.loud")
        ]
        assert world.git("status", "--porcelain") == ""
        world.git("config", "filter.shout.clean", "false")
        before, own = world.picture(), world.own_git()
        with pytest.raises(UserError, match="git cannot take the changed files in"):
            land(repository, "two", {"x.loud": text("again\n")}, how="branch", name="fix")
        assert (world.picture(), world.own_git()) == (before, own)


def test_line_ends_that_were_committed_stay(world: World) -> None:
    world.write("dos.txt", b"one\r\ntwo\r\n")
    world.commit("with CRLF")
    world.git("config", "core.autocrlf", "true")
    with world.repository() as repository:
        commit, _ = land(repository, "one", {"dos.txt": (Mode.FILE, b"one\r\nTWO\r\n")})
        assert world.git("cat-file", "-s", f"{commit}:dos.txt") == "10"


def test_new_attributes_hold_for_the_files_that_come_with_them(world: World) -> None:
    with world.repository() as repository:
        commit, _ = land(
            repository,
            "one",
            {".gitattributes": text("*.w text eol=crlf\n"), "a.w": (Mode.FILE, b"one\r\ntwo\r\n")},
            how="branch",
            name="fix",
        )
        assert world.git("cat-file", "-s", f"{commit}:a.w") == "8"


def test_nobody_s_hooks_and_nobody_without_a_name(world: World, isolated: Path) -> None:
    hook = world.write(".git/hooks/reference-transaction", "#!/bin/sh\nexit 1\n", 0o755)
    with world.repository() as repository:
        land(repository, "one", how="branch", name="fix")
    hook.unlink()
    (isolated / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    before = refs(world)
    with world.repository() as repository, pytest.raises(UserError, match="does not know who you are"):
        land(repository, "two", how="branch", name="fix2")
    assert refs(world) == before


def test_a_locked_index_takes_everything_back(world: World) -> None:
    before, first = world.picture(), world.git("rev-parse", "HEAD")
    lock = world.write(".git/index.lock")
    with world.repository() as repository:
        with pytest.raises(BenchdogError, match=r"index\.lock"):
            land(repository, "one")
        assert pending_journal(repository) is None
    lock.unlink()
    assert world.picture() == before
    assert refs(world)["refs/heads/main"] == first
    assert world.git("status", "--porcelain") == ""
