"""A restored book begins a new epoch: `python -m edge.new_epoch`, once, before the edge starts on it.

One entry says from which backup it goes on, and puts the gateway into mode recovery until a person says that every
payment since then is here again (I5). The numbers of the readings leap, so that no receiver takes a new one for one
that it heard of between the backup and the loss. `riser restore` calls it; nothing else needs to.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from pathlib import Path
from typing import Any

from bridge.contract import kernel_clock
from bridge.contract.clock import Clock, from_environment
from bridge.contract.units import instant_of
from edge import opening, trust
from edge.book import Book, BookError, WriteError
from edge.exit_codes import FAILED, FINE, USAGE

READINGS_A_DAY = 86_400
"""No gateway writes more sweeps in a day."""

LEAST_LEAP = 10_000
"""A machine without a clock may think that the backup was made today."""


def begin(directory: Path, clock: Clock, boot: str, made_at: str, version: str, who: str) -> dict[str, Any]:
    """Append the entry. Raises BookError, WriteError, ValueError for an instant that is none."""
    age_s = (clock.now() - instant_of(made_at)).total_seconds()
    book = Book(directory, clock, boot)
    try:
        state = opening.state_of(book)
        if book.seq == 0:
            raise BookError("the backup holds an empty book")
        book.trusted, _ = trust.judge(clock, state.newest_at, "", kernel_clock.is_synchronised())
        epoch, seq, digest = secrets.token_hex(8), book.seq, book.hash
        fields = {
            "epoch": epoch,
            "before": state.epoch,
            "seq": seq,
            "made_at": made_at,
            "version": version,
            "who": who,
        }
        book.append(("restored/1", f"restored:{epoch}", fields))
        days = max(0, int(age_s // READINGS_A_DAY)) + 1
        book.leap(max(LEAST_LEAP, days * READINGS_A_DAY))
        return {"epoch": epoch, "before": state.epoch, "seq": seq, "hash": digest}
    finally:
        book.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="edge.new_epoch", description="Begin a new epoch of a restored book.")
    parser.add_argument("data", type=Path)
    for name in ("made-at", "version", "who"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args(arguments)
    boot = f"restore-{secrets.token_hex(4)}"
    try:
        told = begin(given.data, from_environment(), boot, given.made_at, given.version, given.who)
    except (BookError, ValueError) as error:
        print(error, file=sys.stderr)
        return USAGE
    except WriteError as error:
        print(f"the restored book takes no entry: {error}", file=sys.stderr)
        return FAILED
    print(json.dumps(told))
    return FINE


if __name__ == "__main__":
    sys.exit(main())
