"""The base is the person's tree as it is on disk, whatever state their repository is in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repo_world import World, files_of, text

from benchdog.errors import UserError
from benchdog.repo import Ignored
from benchdog.trees import Mode


def test_the_tree_is_what_lies_on_disk_uncommitted_work_included(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(".gitignore", "ignored\n")
    world.write("kept", "committed\n")
    world.write("edited", "old\n")
    world.write("removed", "gone\n")
    head = world.commit()
    world.write("edited", "new\n")
    world.write("staged", "staged\n")
    world.git("add", "staged")
    world.write("staged", "and then changed\n")
    world.write("untracked", "mine\n")
    world.write("ignored", "not part of it\n")
    (world.root / "removed").unlink()
    before = world.own_git()
    with world.repository() as repository:
        base = repository.snapshot()
        assert files_of(repository, base.tree) == {
            ".gitignore": text("ignored\n"),
            "kept": text("committed\n"),
            "edited": text("new\n"),
            "staged": text("and then changed\n"),
            "untracked": text("mine\n"),
        }
    assert (base.files, base.head, base.branch) == (5, head, "main")
    assert base.uncommitted == ("edited", "removed", "staged", "untracked")
    assert (base.skipped, base.submodules, base.merge_in_progress) == ((), (), False)
    assert world.own_git() == before


def test_names_and_contents_of_every_kind_survive(tmp_path: Path) -> None:
    world = World(tmp_path)
    names = [b"line\nfeed", b"tab\there", b'"quoted"', b"back\\slash", b"\xff\xfe not utf-8", "ümläut".encode(), b"a b"]
    for number, name in enumerate(names):
        world.write(os.fsdecode(name), b"%d\n" % number)
    world.write("empty")
    world.write("no-final-newline", b"last line")
    world.write("crlf", b"one\r\ntwo\r\n")
    world.write("nul", b"\0\xff\0")
    world.write("script", b"#!/bin/sh\n", 0o755)
    (world.root / "link").symlink_to("script")
    (world.root / "dangling").symlink_to(os.fsdecode(b"nowhere/\xff"))
    world.git("config", "core.autocrlf", "true")
    world.commit()
    with world.repository() as repository:
        found = files_of(repository, repository.snapshot().tree)
    expected = {os.fsdecode(name): (Mode.FILE, b"%d\n" % number) for number, name in enumerate(names)} | {
        "empty": (Mode.FILE, b""),
        "no-final-newline": (Mode.FILE, b"last line"),
        "crlf": (Mode.FILE, b"one\r\ntwo\r\n"),
        "nul": (Mode.FILE, b"\0\xff\0"),
        "script": (Mode.EXECUTABLE, b"#!/bin/sh\n"),
        "link": (Mode.SYMLINK, b"script"),
        "dangling": (Mode.SYMLINK, b"nowhere/\xff"),
    }
    assert found == expected


def test_a_filter_does_not_change_what_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.git("config", "filter.shout.clean", "tr a-z A-Z")
    world.git("config", "filter.shout.smudge", "tr A-Z a-z")
    world.write(".gitattributes", "*.bin filter=shout\n*.id ident\n")
    world.write("big.bin", "content\n")
    world.write("plain.txt", "text\n")
    world.commit()
    assert world.git("cat-file", "blob", "HEAD:big.bin") == "CONTENT"
    with world.repository() as repository:
        assert files_of(repository, repository.snapshot().tree)["big.bin"] == text("content\n")
        assert repository.filtered(("plain.txt", "big.bin", "new.id", "new.bin")) == ("big.bin", "new.id", "new.bin")


def test_a_filter_that_is_not_installed_does_not_keep_the_tree_from_being_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    world.write("big.bin", pointer)
    world.commit()
    world.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    for key, value in (("clean", "no-such-lfs clean %f"), ("process", "no-such-lfs process"), ("required", "true")):
        world.git("config", f"filter.lfs.{key}", value)
    (world.root / "big.bin").touch()
    with world.repository() as repository:
        base = repository.snapshot()
        assert files_of(repository, base.tree)["big.bin"] == text(pointer)
        assert base.uncommitted == (".gitattributes",)
        world.write("big.bin", "fetched content\n")
        assert repository.snapshot().uncommitted == (".gitattributes", "big.bin")


def test_only_changed_files_are_read_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("one", "1\n")
    world.write("two", "2\n")
    os.utime(world.root, (1, 1))
    with world.repository() as repository:
        first = repository.snapshot()
        again = repository.snapshot()
        assert again == first
        # the same size and mtime, in the same instant: only the ctime, or a second look, can tell
        status = (world.root / "one").stat()
        world.write("one", "x\n")
        os.utime(world.root / "one", ns=(status.st_atime_ns, status.st_mtime_ns))
        changed = repository.snapshot()
        assert files_of(repository, changed.tree) == {"one": text("x\n"), "two": text("2\n")}
        assert [change.path for change in repository.changes(first.tree, changed.tree)] == ["one"]


def test_a_cache_that_was_damaged_is_no_cache(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("one", "1\n")
    with world.repository() as repository:
        base = repository.snapshot()
        cache = repository.place / "snapshot.index"
        content = bytearray(cache.read_bytes())
        content[len(content) // 2] ^= 1
        cache.write_bytes(content)
        assert repository.snapshot() == base
        cache.write_bytes(b"")
        assert repository.snapshot() == base


def test_a_folder_without_git(tmp_path: Path) -> None:
    world = World(tmp_path, git=False)
    world.write(".gitignore", "*.log\n")
    world.write("app/.gitignore", "secret\n")
    world.write("app/main.py", "pass\n", 0o755)
    world.write("app/secret", "no\n")
    world.write("run.log", "no\n")
    world.write("node_modules/x/index.js", "no\n")
    (world.root / "nested").mkdir()
    world.git("init", "-q", cwd=world.root / "nested")
    world.write("nested/file", "theirs\n")
    with world.repository(world.root / "app") as repository:
        assert (repository.is_git, repository.root, repository.prefix) == (False, world.root / "app", "")
    with world.repository() as repository:
        base = repository.snapshot()
        assert files_of(repository, base.tree) == {
            ".gitignore": text("*.log\n"),
            "app/.gitignore": text("secret\n"),
            "app/main.py": text("pass\n", Mode.EXECUTABLE),
        }
        assert (base.head, base.branch, base.uncommitted, base.skipped) == (None, None, (), ("nested",))
        assert repository.ignored() == (
            Ignored(path="app/secret", is_directory=False),
            Ignored(path="node_modules", is_directory=True),
            Ignored(path="run.log", is_directory=False),
        )
        assert repository.filtered(("app/main.py",)) == ()
    assert list(world.root.rglob(".git")) == [world.root / "nested/.git"]


def test_a_folder_without_git_is_found_by_its_settings_above(tmp_path: Path) -> None:
    world = World(tmp_path, git=False)
    world.write("benchdog.toml")
    world.write("deep/er/file", "x")
    with world.repository(world.root / "deep/er") as repository:
        assert (repository.root, repository.prefix) == (world.root, "")


@pytest.mark.parametrize("git", [True, False])
def test_benchdog_s_own_place_is_no_part_of_the_tree(tmp_path: Path, git: bool) -> None:
    world = World(tmp_path, git=git)
    world.state = world.root / ".state"
    world.write("a\nb/file", "x\n")
    with world.repository() as repository:
        first = repository.snapshot()
        assert repository.snapshot() == first
        assert files_of(repository, first.tree) == {"a\nb/file": text("x\n")}


def test_a_root_with_a_line_feed_in_its_name(tmp_path: Path) -> None:
    world = World(tmp_path / "one\ntwo\n")
    world.write("file", "x\n")
    world.commit()
    world.write(".git/MERGE_HEAD", world.git("rev-parse", "HEAD"))
    with world.repository() as repository:
        assert repository.root == world.root
        assert repository.snapshot().merge_in_progress


def test_a_sub_directory_of_a_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("services/shop/benchdog.toml")
    world.write("services/shop/src/a.py", "a\n")
    world.write("other/b.py", "b\n")
    world.commit()
    with world.repository(world.root / "services/shop/src") as repository:
        assert (repository.root, repository.prefix) == (world.root, "services/shop")
        assert set(repository.view(repository.snapshot().tree).entries) == {
            "services/shop/benchdog.toml",
            "services/shop/src/a.py",
            "other/b.py",
        }
    with world.repository(world.root / "other") as repository:
        assert repository.prefix == "other"


def test_an_empty_repository_without_commits(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.repository() as repository:
        empty = repository.snapshot()
        assert (empty.files, empty.head, empty.branch) == (0, None, "main")
        assert repository.view(empty.tree).entries == {}
        world.write("first", "1\n")
        base = repository.snapshot()
        assert files_of(repository, base.tree) == {"first": text("1\n")}
        assert base.uncommitted == ("first",)


def test_a_bare_repository_and_a_git_directory_are_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.git("init", "-q", "--bare", str(tmp_path / "bare.git"))
    with pytest.raises(UserError, match="is a bare repository"), world.repository(tmp_path / "bare.git"):
        pass
    with pytest.raises(UserError, match="lies inside a git directory"), world.repository(world.root / ".git"):
        pass
    with pytest.raises(UserError, match="cannot enter"), world.repository(tmp_path / "nowhere"):
        pass


def test_a_detached_head_and_a_linked_work_tree(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("a", "1\n")
    head = world.commit()
    world.git("checkout", "-q", "--detach")
    with world.repository() as repository:
        base = repository.snapshot()
        assert (base.head, base.branch) == (head, None)
    world.git("worktree", "add", "-q", str(tmp_path / "linked"), "main")
    with world.repository(tmp_path / "linked") as repository:
        assert repository.root == tmp_path / "linked"
        assert repository.snapshot().branch == "main"


def test_a_merge_in_progress(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("a", "base\n")
    world.commit()
    world.git("checkout", "-q", "-b", "side")
    world.write("a", "side\n")
    world.commit()
    world.git("checkout", "-q", "main")
    world.write("a", "main\n")
    world.commit()
    with pytest.raises(Exception, match="non-zero"):
        world.git("merge", "side")
    with world.repository() as repository:
        base = repository.snapshot()
        assert base.merge_in_progress
        assert base.uncommitted == ("a",)
        assert files_of(repository, base.tree)["a"][1] == (world.root / "a").read_bytes()
        assert b"<<<<<<<" in (world.root / "a").read_bytes()


def test_a_submodule_is_named_and_its_files_are_lent_not_taken(tmp_path: Path) -> None:
    library = World(tmp_path / "library")
    library.write("code.c", "int x;\n")
    library.commit()
    world = World(tmp_path / "main")
    world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.root), "vendor/lib")
    world.commit()
    with world.repository() as repository:
        base = repository.snapshot()
        assert base.submodules == ("vendor/lib",)
        entries = repository.view(base.tree).entries
        assert {path: entry.mode for path, entry in entries.items()} == {
            ".gitmodules": Mode.FILE,
            "vendor/lib": Mode.SUBMODULE,
        }
        assert base.files == 1
        assert repository.ignored() == (Ignored(path="vendor/lib", is_directory=True, submodule=True),)
        with repository.checkout(base.tree) as checkout:
            assert list((checkout.path / "vendor/lib").iterdir()) == []
            assert checkout.harvest().tree == base.tree
            with pytest.raises(UserError, match="is a submodule"):
                checkout.write("vendor/lib/code.c", b"int y;\n")
            (checkout.path / "vendor/lib/new").write_text("x")
            harvest = checkout.harvest()
            assert (harvest.tree, harvest.reasons) == (base.tree, {"vendor/lib/new": "lies in a submodule"})


def test_own_nested_repositories_are_left_out_by_name(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("a", "1\n")
    world.commit()
    for name in ("nested", "empty-nested"):
        (world.root / name).mkdir()
        world.git("init", "-q", cwd=world.root / name)
    world.write("nested/file", "x\n")
    world.git("add", "-A", cwd=world.root / "nested")
    world.git("commit", "-q", "-m", "x", cwd=world.root / "nested")
    with world.repository() as repository:
        base = repository.snapshot()
        assert base.skipped == ("empty-nested", "nested")
        assert files_of(repository, base.tree) == {"a": text("1\n")}


def test_special_files_and_paths_behind_symlinks_are_no_part_of_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("dir/file", "x\n")
    world.write("pipe", "was a file\n")
    world.commit()
    (world.root / "dir").rename(tmp_path / "elsewhere")
    (world.root / "dir").symlink_to(tmp_path / "elsewhere")
    (world.root / "pipe").unlink()
    os.mkfifo(world.root / "pipe")
    with world.repository() as repository:
        base = repository.snapshot()
        target = os.fsencode(tmp_path / "elsewhere")
        assert files_of(repository, base.tree) == {"dir": (Mode.SYMLINK, target)}
        assert base.skipped == ("pipe",)


def test_large_untracked_files_stop_with_the_line_to_add(tmp_path: Path) -> None:
    world = World(tmp_path)
    with (world.root / "data [1].bin").open("wb") as file:
        file.truncate(50 * 1024**2 + 1)
    with world.repository() as repository:
        with pytest.raises(UserError, match="over 50 MB each") as caught:
            repository.snapshot()
        assert caught.value.message == "untracked files are over 50 MB each:\n  50 MB  'data [1].bin'"
        line = caught.value.hint.splitlines()[-1].strip() if caught.value.hint else ""
        assert line == "/data \\[1].bin"
        world.write(".gitignore", line + "\n")
        assert repository.snapshot().files == 1


def test_many_untracked_files_stop_over_1_gb(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(21):
        with (world.root / f"part{number:02}").open("wb") as file:
            file.truncate(50 * 1024**2)
    with world.repository() as repository, pytest.raises(UserError, match="over 1 GB in all"):
        repository.snapshot()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("dir/closed", "secret\n")
    world.commit()
    world.write("dir/closed", "changed\n").chmod(0)
    if os.geteuid() == 0:  # root reads everything: a directory that is too deep stands in for it
        (world.root / "dir/closed").chmod(0o644)
        world.write("/".join(["d"] * 201) + "/closed", "x")
    with world.repository() as repository, pytest.raises(UserError, match=r"cannot read '.*closed'"):
        repository.snapshot()


def test_variables_of_a_calling_git_do_not_reach_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path / "one")
    world.write("a", "1\n")
    other = World(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    with world.repository() as repository:
        assert repository.root == world.root
        assert files_of(repository, repository.snapshot().tree) == {"a": text("1\n")}


def test_files_that_hold_a_word(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("a.py", "def add(x): ...\n")
    world.write("sub/b.py", "from a import add\n")
    world.write("c.py", "address = 1\n")
    world.write("d.bin", b"\0add\0")
    world.commit()
    with world.repository() as repository:
        assert repository.find("add") == ("a.py", "sub/b.py")
        assert repository.find("-e") == ()
        assert repository.find("") == ()
