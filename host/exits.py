"""Exit codes are a promise: each has one meaning, and one sentence goes with every code that is not 0."""

from __future__ import annotations

from bridge.contract.escapes import escaped

FINE = 0
FAILED = 1
USAGE = 2
IN_USE = 3
MISSING = 4
NOT_RUNNING = 5

TABLE: dict[int, str] = {
    FINE: "done",
    FAILED: "it was tried and failed, the request was refused, or `doctor` found something wrong",
    USAGE: "the command or the site file is wrong",
    IN_USE: "a port or the data directory is in use",
    MISSING: "something this machine needs is missing",
    NOT_RUNNING: "Riser does not run here",
}


class Trouble(Exception):
    """The command cannot go on; `sentence` says what to do, `code` is the exit code. Trying again alone won't help.

    What a sentence repeats of a file is shown in it, and not obeyed by the terminal.
    """

    def __init__(self, code: int, sentence: str):
        self.code, self.sentence = code, "\n".join(map(escaped, sentence.split("\n")))
        super().__init__(self.sentence)


def table_text() -> str:
    """The codes as lines for `--help`."""
    return "\n".join(f"  {code}  {words}" for code, words in TABLE.items())
