"""A model server's address: what a person may write, and the one form that everything else uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchdog.errors import UserError

_PORTS = {"http": 80, "https": 443}
_ENDINGS = ("/chat/completions", "/completions", "/models")
_NAME = re.compile(r"[A-Za-z0-9._:-]+")
_PATH = re.compile(r"(/[A-Za-z0-9._~%:@+,;=-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server's OpenAI-compatible interface begins: `path` has no slash at its end and is often `/v1`."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.path}"

    def below(self, part: str) -> Address:
        """The address of `part` (begins with a slash) below this one."""
        return Address(secure=self.secure, host=self.host, port=self.port, path=self.path + part)

    @property
    def root(self) -> Address:
        """The same interface without `/v1`: where llama.cpp keeps its own paths."""
        return Address(secure=self.secure, host=self.host, port=self.port, path=self.path.removesuffix("/v1"))


def parse_address(text: str) -> Address:
    """Reads `http://host:port/v1`, and what people write instead: no scheme, no `/v1`, a full request path.

    Without a path `/v1` is meant. Raises UserError for another scheme, a user or password, a query, no host.
    """
    try:
        parts = urlsplit(text.strip() if "://" in text else f"http://{text.strip()}")
        port = parts.port
    except ValueError as error:
        raise _wrong(text, str(error)) from None
    if parts.scheme not in _PORTS:
        raise _wrong(text, f"{parts.scheme!r} is neither http nor https")
    if parts.username is not None or parts.password is not None:
        raise UserError(
            "the endpoint's address holds a user or a password",
            hint='put the key in an environment variable and name it in the endpoint\'s settings: key_env = "…"',
        )
    if not parts.hostname or not _NAME.fullmatch(parts.hostname):
        raise _wrong(text, "it names no host")
    path = _trim(parts.path)
    if parts.query or parts.fragment or not _PATH.fullmatch(path):
        raise _wrong(text, "its path must be plain, without a query")
    secure = parts.scheme == "https"
    return Address(
        secure=secure, host=parts.hostname, port=_PORTS[parts.scheme] if port is None else port, path=path or "/v1"
    )


def _trim(path: str) -> str:
    path = path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return path.rstrip("/")


def _wrong(text: str, reason: str) -> UserError:
    return UserError(
        f"the endpoint's address {text[:200]!r} does not read: {reason}",
        hint="write it as http://127.0.0.1:8080/v1",
    )
