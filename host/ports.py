"""A port is asked for before it is used, so that a person reads one sentence and not a program's last words."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from bridge.contract.os_words import in_words
from host.exits import IN_USE, USAGE, Trouble

TRIED = 50
"""How many ports after the wanted one are tried."""


def is_free(listen: str, port: int) -> bool:
    """True when somebody could listen there now. Raises Trouble when the address is not one of this machine."""
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # A connection that ended a moment ago does not keep a listener away; another listener does.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((listen, port))
            trial.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            if error.errno == errno.EACCES:
                raise Trouble(USAGE, f"port {port} needs root; choose one above 1023") from None
            raise Trouble(USAGE, f"nothing can listen on {listen} port {port}: {in_words(error)}") from None
    return True


def first_free(listen: str, port: int, taken: Iterable[int] = ()) -> int:
    """The wanted port, or the next one that is free. Raises Trouble when none is."""
    for candidate in range(port, min(port + TRIED, 65_536)):
        if candidate not in taken and is_free(listen, candidate):
            return candidate
    raise Trouble(IN_USE, f"ports {port} to {port + TRIED - 1} on {listen} are all in use")


def answers(host: str, port: int) -> bool:
    """True when somebody accepts a connection there."""
    try:
        socket.create_connection((host.strip("[]"), port), timeout=1.0).close()
    except OSError:
        return False
    return True
