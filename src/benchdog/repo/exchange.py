"""Two renames that no look beforehand can stand in for: swap two names, and take a name only where it is free.

Linux: renameat2(2), by its system call number where the C library has no such function. macOS: renameatx_np(2).
Where neither is there, or the file system refuses, the functions say so and the caller does without.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

_NUMBERS = {  # of renameat2, from the kernel's syscall tables
    **{"x86_64": 316, "i386": 353, "i686": 353, "aarch64": 276, "riscv64": 276},
    **{"armv7l": 382, "ppc64le": 357, "s390x": 347},
}
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})

_Rename = Callable[[int, bytes, int, bytes, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _System:
    """The system's call and its two flags."""

    rename: _Rename
    free: int
    swap: int


def exchange(parent: int, one: str, other: str) -> bool:
    """Swaps what lies at two names of a directory, at once; False, with nothing done, where that cannot be had.

    Raises FileNotFoundError where one of them is not there, OSError.
    """
    system = _system()
    return system is not None and _call(system, parent, one, other, system.swap)


def take_free_name(parent: int, name: str, free: str) -> bool:
    """Renames within a directory, never onto something; False, with nothing done, where that cannot be had.

    Raises FileExistsError, FileNotFoundError, OSError.
    """
    system = _system()
    return system is not None and _call(system, parent, name, free, system.free)


def _call(system: _System, parent: int, old: str, new: str, flag: int) -> bool:
    import ctypes  # noqa: PLC0415 - start-up time

    ctypes.set_errno(0)
    if system.rename(parent, os.fsencode(old), parent, os.fsencode(new), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), new)


@cache
def _system() -> _System | None:
    """None: this system has no such call."""
    import ctypes  # noqa: PLC0415 - start-up time

    library = ctypes.CDLL(None, use_errno=True)
    kinds = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    mac = sys.platform == "darwin"
    named = getattr(library, "renameatx_np" if mac else "renameat2", None)
    if named is not None:
        named.argtypes, named.restype = kinds, ctypes.c_int
        return _System(rename=named, free=4, swap=2) if mac else _System(rename=named, free=1, swap=2)
    return _by_number(library)


def _by_number(library: ctypes.CDLL) -> _System | None:
    """For a C library older than the kernel."""
    import ctypes  # noqa: PLC0415 - start-up time

    number = _NUMBERS.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None:
        return None
    call = library.syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    call.restype = ctypes.c_long

    def rename(one: int, old: bytes, other: int, new: bytes, flag: int) -> int:
        return int(call(number, one, old, other, new, flag))

    return _System(rename=rename, free=1, swap=2)
