"""A program that ended with code 2 says that a person is needed: its reason is shown at once and once, and it is tried
again at a slow pace, so that a gateway in a locked cupboard comes back by itself when the cause has gone.

A disk that was mounted late, a stick put back, a file mended: nobody has to come and start it. The same words again are
only in the log files, until it says something else.
"""

from __future__ import annotations

from host.journal import OWN_TIME

CODE = 2
"""Exit code of every program of ours whose site file, book or secrets need a person."""

RETRY_S = 30.0

LINES_KEPT = 20


class PersonNeeded:
    """What one program said in its newest run, and in the one that ended with code 2."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._told: frozenset[str] = frozenset()
        self.why: str | None = None
        """The last words of the run that needs a person; None while nobody is needed."""

    def is_new(self, line: str) -> bool:
        """Remember a line; False when the person was told it already."""
        text = OWN_TIME.sub("", line, count=1).strip()
        if text:
            self._said = [*self._said, text][-LINES_KEPT:]
        return text not in self._told

    def ended(self, code: int) -> str | None:
        """A run has ended. Return the sentence for the person, None where there is none or it was told already."""
        said, self._said = self._said, []
        if code != CODE:
            self._told, self.why = frozenset(), None
            return None
        told, self._told = self._told, frozenset(said)
        self.why = said[-1] if said else "it gave no reason"
        if self._told and self._told <= told:
            return None
        words = "needs a person, its reason stands above; it is tried again every"
        return f"{words} {RETRY_S:g} s, and that is not told again"

    def works(self) -> None:
        """It runs and is healthy: whatever it says from now on is new."""
        self._told, self.why = frozenset(), None
