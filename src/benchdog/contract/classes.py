"""Path classes: which kind of file a path names. Pure, by name alone, without regard to case (file systems differ)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from benchdog.contract.globs import matches
from benchdog.contract.values import PathClass

OPEN_BY_DEFAULT = frozenset({PathClass.DOCS, PathClass.TESTS})
NEVER_OPEN = frozenset({PathClass.VCS})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """Words of space-separated names, all lower case. `folders`: every path below a folder so named, at any depth.

    `files`: file names, `*` allowed. `places`: paths from the root, of a file or a folder.
    """

    folders: str = ""
    files: str = ""
    places: str = ""


_TABLE: dict[PathClass, _Names] = {
    PathClass.DEPENDENCIES: _Names(
        files=(
            "pyproject.toml setup.py requirements*.txt requirements*.in constraints*.txt pipfile pipfile.lock "
            "poetry.lock uv.lock pdm.lock pixi.toml pixi.lock pylock.toml pylock.*.toml environment.yml "
            "environment.yaml conda-lock.yml package.json package-lock.json npm-shrinkwrap.json yarn.lock "
            "pnpm-lock.yaml pnpm-workspace.yaml bun.lock bun.lockb deno.lock lerna.json bower.json .npmrc .yarnrc "
            ".yarnrc.yml .pnpmfile.cjs cargo.toml cargo.lock go.mod go.sum go.work go.work.sum gemfile "
            "gemfile.lock *.gemspec composer.json composer.lock pom.xml build.gradle build.gradle.kts "
            "settings.gradle settings.gradle.kts gradle.lockfile libs.versions.toml *.csproj *.fsproj *.vbproj "
            "packages.config packages.lock.json directory.packages.props nuget.config mix.exs mix.lock "
            "rebar.config rebar.lock pubspec.yaml pubspec.lock package.swift package.resolved podfile "
            "podfile.lock cartfile cartfile.resolved build.sbt cabal.project *.cabal stack.yaml stack.yaml.lock "
            "project.clj deps.edn shard.yml shard.lock conanfile.txt conanfile.py vcpkg.json build.zig.zon "
            "flake.nix flake.lock renv.lock manifest.toml project.toml elm.json dub.json *.rockspec cpanfile "
            "module.bazel module.bazel.lock workspace.bazel"
        ),
        folders="requirements node_modules .venv venv vendor bower_components",
    ),
    PathClass.CONFIG: _Names(
        files=(
            "setup.cfg tox.ini pytest.ini .pytest.ini noxfile.py .coveragerc .flake8 .pylintrc pylintrc mypy.ini "
            ".mypy.ini ruff.toml .ruff.toml pyrightconfig.json .isort.cfg .style.yapf .bandit .editorconfig "
            "tsconfig*.json jsconfig.json .eslintrc .eslintrc.* eslint.config.* .eslintignore .prettierrc "
            ".prettierrc.* prettier.config.* .prettierignore .stylelintrc .stylelintrc.* biome.json biome.jsonc "
            "jest.config.* vitest.config.* vitest.workspace.* playwright.config.* cypress.config.* karma.conf.* "
            ".mocharc.* .nycrc .nycrc.* .c8rc.json babel.config.* .babelrc .babelrc.* .swcrc webpack.config.* "
            "vite.config.* rollup.config.* rustfmt.toml .rustfmt.toml clippy.toml .clippy.toml .golangci.* "
            ".clang-format .clang-tidy .rubocop.yml .rspec phpunit.xml phpunit.xml.dist phpstan.neon "
            "checkstyle.xml .gitattributes .gitignore .gitmodules .gitconfig .lfsconfig .dockerignore codecov.yml "
            ".codecov.yml sonar-project.properties .markdownlint.* .yamllint .shellcheckrc benchdog.toml "
            "nextest.toml .swiftlint.yml detekt.yml"
        ),
    ),
    PathClass.CI: _Names(
        folders=".github .gitlab .circleci .buildkite .woodpecker .forgejo .gitea .teamcity .ci",
        files=(
            ".gitlab-ci.yml .travis.yml appveyor.yml .appveyor.yml azure-pipelines*.yml bitbucket-pipelines.yml "
            "jenkinsfile jenkinsfile.* .drone.yml .drone.yaml .woodpecker.yml .cirrus.yml cloudbuild.yaml "
            "buildspec.yml codefresh.yml .readthedocs.yml .readthedocs.yaml dependabot.yml renovate.json "
            ".renovaterc"
        ),
    ),
    PathClass.GENERATED: _Names(
        folders=(
            "__pycache__ __generated__ .next .nuxt .svelte-kit .turbo .parcel-cache .tox .nox *.egg-info *.dist-info"
        ),
        files=(
            "*_pb2.py *_pb2.pyi *_pb2_grpc.py *.pb.go *.pb.cc *.pb.h *.g.dart *.freezed.dart *.generated.* "
            "*.gen.go *.gen.ts *_generated.go *_generated.rs zz_generated.* *.min.js *.min.css *.map "
            "*.designer.cs *.g.cs *.pyc *.pyo *.snap.new"
        ),
        places="dist build target",
    ),
    PathClass.MIGRATIONS: _Names(folders="migrations migrate alembic flyway liquibase", places="db/schema.rb"),
    PathClass.TESTS: _Names(
        folders="test tests testing __tests__ spec specs e2e __snapshots__ __mocks__ testdata test_data fixtures",
        files=(
            "test_*.py *_test.py *_tests.py conftest.py *.test.* *.spec.* *_test.go *_test.rs *_spec.rb *_test.rb "
            "*_test.exs *_test.dart *_test.cc *_test.cpp *_unittest.cc *.snap"
        ),
    ),
    PathClass.DOCS: _Names(
        folders="doc docs",
        files=(
            "*.md *.mdx *.rst *.adoc readme readme.* changelog changelog.* changes changes.txt history "
            "history.txt contributing contributing.* license license.* licence licence.* copying authors "
            "authors.* notice news"
        ),
    ),
    PathClass.SECRETS: _Names(
        folders=".ssh .gnupg .aws .azure .gcloud .kube",
        files=(
            ".env .env.* *.env *.pem *.key *.p12 *.pfx *.jks *.keystore *.kdbx *.ppk id_rsa id_dsa id_ecdsa "
            "id_ed25519 .netrc _netrc .pgpass .htpasswd .pypirc .git-credentials credentials credentials.json "
            "credentials.ini credentials.toml credentials.y*ml secrets.json secrets.toml secrets.ini secrets.y*ml "
            "*.secret .vault-token .dockercfg *.tfstate *.tfstate.* *.tfvars service-account*.json "
            "*.mobileprovision master.key"
        ),
    ),
    PathClass.VCS: _Names(folders=".git .hg .svn .bzr .jj _darcs .fossil .sl git~1", files=".fslckout _fossil_"),
    PathClass.AUTORUN: _Names(
        folders=(
            ".vscode .idea .fleet .zed .cursor .claude .codex .opencode .aider .gemini .qwen .windsurf .continue "
            ".roo .cline .kiro .devcontainer .husky .githooks .direnv .agents .vim .nvim"
        ),
        files=(
            "agents.md agents.override.md claude.md claude.local.md gemini.md qwen.md .cursorrules .windsurfrules "
            ".clinerules .goosehints .envrc .mcp.json mcp.json opencode.json opencode.jsonc crush.json "
            ".aider.conf.yml .aider* *.code-workspace .project .classpath .exrc .vimrc .nvimrc .nvim.lua _vimrc "
            ".dir-locals.el .emacs .bashrc .bash_profile .bash_login .bash_logout .profile .zshrc .zshenv "
            ".zprofile .zlogin .kshrc .cshrc .tcshrc .inputrc .gdbinit .lldbinit .tmux.conf .screenrc "
            ".pre-commit-config.yaml .pre-commit-hooks.yaml lefthook.yml lefthook.yaml .lefthook.yml "
            ".lintstagedrc .lintstagedrc.* .huskyrc sitecustomize.py usercustomize.py *.pth .pythonrc .pdbrc "
            ".irbrc .pryrc .rprofile .julia.toml mise.toml .mise.toml .tool-versions devbox.json "
            ".devcontainer.json copilot-instructions.md skill.md"
        ),
    ),
}
_SECRET_SAMPLES = re.compile(r".*\.(?:example|sample|template|dist|tpl)")  # .env.example holds no secret

Extra = Mapping[PathClass, tuple[str, ...]]


def classes_of(path: str, extra: Extra | None = None) -> frozenset[PathClass]:
    """Every class that `path` belongs to. `extra` adds gitignore patterns to classes, as settings may."""
    found = _built_in(path)
    if extra:
        found |= {kind for kind, patterns in extra.items() if matches(path, tuple(patterns))}
    return found


@lru_cache(maxsize=65536)
def _built_in(path: str) -> frozenset[PathClass]:
    *folders, name = parts = [_plain(part) for part in path.split("/")]
    whole = "/".join(parts)
    found = set()
    for kind, (in_folders, in_files, places) in _compiled().items():
        below = any(in_folders.fullmatch(part) for part in (parts if kind in _ITSELF else folders))
        if below or in_files.fullmatch(name) or any(whole == p or whole.startswith(p + "/") for p in places):
            found.add(kind)
    if PathClass.SECRETS in found and _SECRET_SAMPLES.fullmatch(name):
        found.discard(PathClass.SECRETS)
    return frozenset(found)


# Where a file (a link, a gitlink's `.git`) that bears the folder's name is as dangerous as the folder.
_ITSELF = frozenset({PathClass.VCS, PathClass.AUTORUN, PathClass.SECRETS})

# Characters that macOS ignores in names: `.g\u200cit` is `.git` there (git's own list, utf8.c, next_hfs_char).
_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])


def _plain(part: str) -> str:
    """A name as the most forgiving file system would read it: case, ignorable characters, trailing dots and spaces."""
    return part.translate(_IGNORED).casefold().rstrip(". ") or part


@lru_cache(maxsize=1)
def _compiled() -> dict[PathClass, tuple[re.Pattern[str], re.Pattern[str], tuple[str, ...]]]:
    return {
        kind: (_any_of(names.folders), _any_of(names.files), tuple(names.places.split()))
        for kind, names in _TABLE.items()
    }


def _any_of(words: str) -> re.Pattern[str]:
    """Matches any of the space-separated globs; nothing where there are none."""
    globs = [fnmatch.translate(word) for word in words.split()]
    return re.compile("|".join(globs) if globs else r"(?!)")


def class_names(kind: PathClass) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of folders and of files that make a path of this class, for people; `/x` lies at the root."""
    names = _TABLE[kind]
    places = tuple(f"/{place}" for place in names.places.split())
    return (*names.folders.split(), *places), tuple(names.files.split())
