"""What stands between the edge and the disk (shim.c): built once, loaded with LD_PRELOAD, told what to do by ctypes.

The edge is the real one and knows nothing of it: it makes its system calls, and the shim writes down each that
changes something below one directory, or fails it, or ends the process there.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "shim.c"
FLAGS = ("-O2", "-shared", "-fPIC", "-Wall", "-Werror")

NO_COMPILER = "a C compiler is missing; type: sudo apt-get install -y gcc libc6-dev"

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Disks are laid and lived on here where it is: which calls are made matters, not how long a sync takes."""

ERRORS = {"full": errno.ENOSPC, "io": errno.EIO, "read-only": errno.EROFS}


class CannotBuild(Exception):
    """There is nothing to record with; the sentence says what to install."""


def compiler() -> str | None:
    """The C compiler of this machine."""
    return next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)


def built() -> Path:
    """The library, made when its source is new. Raises CannotBuild."""
    source = SOURCE.read_bytes()
    name = hashlib.sha256(source + repr(FLAGS).encode()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"riser-proof-{os.getuid()}" / f"shim-{name}.so"
    if library.exists():
        return library
    found = compiler()
    if found is None:
        raise CannotBuild(NO_COMPILER)
    library.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / "shim.so"
        done = subprocess.run([found, *FLAGS, "-o", made, SOURCE, "-ldl"], capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotBuild(f"{found} cannot compile {SOURCE.name}: {done.stderr.strip()[-500:]}")
        made.replace(library)
    return library


def surroundings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a program whose calls are seen. Raises CannotBuild."""
    plain = {key: value for key, value in environ.items() if not key.startswith(("RISER_", "PROOF_"))}
    return {**plain, "LD_PRELOAD": str(built()), "PYTHONDONTWRITEBYTECODE": "1"}


def seen(module: str, words: Sequence[str], timeout_s: float) -> Any:
    """Run a module of the proof under the shim; it prints JSON in one line. Raises RuntimeError when it does not end
    well."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(command, cwd=ROOT, env=surroundings(), capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


class Shim:
    """The shim of this very process."""

    def __init__(self) -> None:
        self._c = ctypes.CDLL(None)
        if not hasattr(self._c, "proof_watch"):
            raise RuntimeError("this program was not started under the shim; start it with `python -m tests.proof`")
        self._c.proof_calls.restype = ctypes.c_long
        self._c.proof_mark.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        self._c.proof_watch.argtypes = [ctypes.c_char_p, ctypes.c_int]
        self._c.proof_fail.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_int, ctypes.c_int]
        self._c.proof_die.argtypes = [ctypes.c_long]

    def watch(self, directory: Path, tape: Path | None = None) -> None:
        """See the changes below a directory from now on, and write them to a tape where one is named."""
        descriptor = -1 if tape is None else os.open(tape, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._c.proof_watch(os.fsencode(directory.absolute()), descriptor)

    def mark(self, **words: Any) -> None:
        """Write down what the outside world got to know, at its place among the changes."""
        text = json.dumps(words, ensure_ascii=False).encode()
        self._c.proof_mark(text, len(text))

    def calls(self) -> int:
        """Changes so far."""
        return int(self._c.proof_calls())

    def fail(self, first: int, count: int, trouble: str, half: bool = False) -> None:
        """Fail `count` changes from the `first` to come (1 is the next one); with `half` a full disk takes half of the
        first write."""
        self._c.proof_fail(first, first + count, ERRORS[trouble], int(half))

    def heal(self) -> None:
        self._c.proof_fail(1 << 40, 1 << 41, 0, 0)

    def die(self, at: int) -> None:
        """End this process with SIGKILL at the change to come with this number."""
        self._c.proof_die(at)
