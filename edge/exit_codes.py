"""Exit codes of the tools at a line: the same numbers with the same meaning as those of `riser` itself.

`scan`, `meter`, `decode` and `model check` are programs of their own, so the meaning stands here for all of them.
"""

from __future__ import annotations

import signal

FINE = 0
FAILED = 1
USAGE = 2
IN_USE = 3


def ends_with_its_reader() -> None:
    """`riser explain ... | head` ends quietly when `head` has seen enough."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def epilog(fine: str, failed: str | None, usage: str, in_use: str | None = None) -> str:
    """The lines below a help text; a tool that never ends with a code says nothing of it."""
    told = {FINE: fine, FAILED: failed, USAGE: usage, IN_USE: in_use}
    return "exit codes:\n" + "\n".join(f"  {code}  {words}" for code, words in told.items() if words)
