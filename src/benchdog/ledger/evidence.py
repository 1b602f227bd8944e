"""The evidence store: artefacts under the name of their own SHA-256, plain so that people can read them.

<place>/evidence/<first two digits>/<digest>
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from benchdog.errors import StoreError, UserError
from benchdog.system.files import sync_directory, write_durably

FOLDER = "evidence"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Evidence:
    """The artefacts of one run, in the run's folder `place`."""

    def __init__(self, place: Path) -> None:
        self.folder = place / FOLDER

    def put(self, data: bytes) -> str:
        """The digest under which `data` lies, durable when this returns. Putting the same again costs a read.

        Raises StoreError (no space, no permission).
        """
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if _bytes(path) != data:
            self._make_folder(path.parent)
            write_durably(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """The artefact's bytes. Raises StoreError where it is gone or is not what its name says."""
        path = self.path(digest)
        data = _bytes(path)
        if data is None:
            raise StoreError(f"evidence {digest} is missing: {path}")
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreError(f"evidence {digest} was changed: {path}", hint="its bytes no longer have that SHA-256")
        return data

    def find(self, beginning: str) -> str:
        """The digest that begins so. Raises UserError where none does, or more than one."""
        bare = beginning.rpartition("/")[2].lower()
        if not re.fullmatch(r"[0-9a-f]{2,64}", bare):
            raise UserError(f"{beginning!r:.90} is no digest", hint="two or more of its hexadecimal digits")
        found = sorted(path.name for path in (self.folder / bare[:2]).glob(f"{bare}*") if _DIGEST.fullmatch(path.name))
        if not found:
            raise UserError(f"no evidence begins with {bare}", hint="`benchdog show` names each artefact")
        if len(found) > 1:
            shown = "\n".join(f"  {digest}" for digest in found[:8])
            raise UserError(f"{bare} could be {len(found)} artefacts:\n{shown}", hint="type one digit more")
        return found[0]

    def path(self, digest: str) -> Path:
        """Where the artefact lies, or would. Raises StoreError for anything but a SHA-256 in hexadecimal."""
        if not _DIGEST.fullmatch(digest):
            raise StoreError(f"{digest!r:.80} is not the digest of an artefact")
        return self.folder / digest[:2] / digest

    def _make_folder(self, folder: Path) -> None:
        """Makes the folder, and makes its name durable: `write_durably` syncs only the folder itself."""
        if folder.is_dir():
            return
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_directory(self.folder)
            sync_directory(self.folder.parent)
        except OSError as error:
            raise StoreError(f"cannot make {folder}: {error.strerror or error}") from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
