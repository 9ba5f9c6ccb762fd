"""Outlives a killed parent by seconds, to end what the parent can no longer end.

    python -I -S guard.py          stdin: `+<process group>` started, `-<process group>` ended, `end` all is well

The parent-death signal asks each child to leave; a child that hangs does not. When stdin closes without `end`,
the parent was killed: every group still there is asked once more and after some seconds killed. Standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_S = 5.0
"""As long as the parent itself would have waited: the edge needs about one to close its book."""


def main() -> int:
    # The terminal's Ctrl-C and a closed window are the parent's business; our own cue is the end of stdin.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        word = line.strip()
        if word == "end":
            return 0
        if word.startswith("+"):
            groups.add(int(word[1:]))
        else:
            groups.discard(-int(word))
    end_all(groups)
    return 0


def end_all(groups: set[int]) -> None:
    """TERM, up to five seconds of patience, KILL."""
    left = {group for group in groups if reached(group, signal.SIGTERM)}
    deadline_s = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline_s:
        # These are not our children, so their end cannot be awaited, only looked for.
        time.sleep(0.1)
        left = {group for group in left if reached(group, 0)}
    for group in left:
        reached(group, signal.SIGKILL)


def reached(group: int, number: int) -> bool:
    """Send a signal to a process group; False when nobody is left in it, or nobody of ours."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
