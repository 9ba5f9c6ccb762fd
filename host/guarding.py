"""Our end of the guard: it is told every process group that lives, so that it can end them when we are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GUARD = Path(__file__).parent / "guard.py"


class Guard:
    """The guard process, started at first need and again should somebody have killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def watch(self, group: int) -> None:
        """From now on this process group ends with us."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """This process group has ended."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """All ended in order; the guard leaves as well."""
        if self._process is not None and self._process.poll() is None:
            self._tell("end\n")
            self._process.wait()
        self._process = None

    def _tell(self, words: str) -> None:
        for _ in range(2):
            if self._process is None or self._process.poll() is not None:
                self._start()
                words = "".join(f"+{group}\n" for group in self._groups)
            assert self._process is not None and self._process.stdin is not None
            try:
                self._process.stdin.write(words.encode())
                return
            except BrokenPipeError:  # It was killed this very moment; another one is told everything.
                self._process.wait()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            bufsize=0,
        )
