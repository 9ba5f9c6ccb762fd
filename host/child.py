"""The last step before a program: become its user, ask for a signal when the parent dies, then be the program.

    python -I -S child.py PARENT USER PROGRAM [ARGUMENTS]        USER is - to stay who we are

It runs between fork and exec as a program of its own, because code after the fork of a process with threads may
hang. The order matters: Linux forgets the parent-death signal when the user changes (prctl(2)), which Mosquitto
itself would do. Imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PARENT_GONE = 75
CANNOT_RUN = 127


def main(arguments: list[str]) -> int:
    """Never returns where all goes well."""
    parent, user, program = int(arguments[0]), arguments[1], arguments[2:]
    # A parent started in the background ignores SIGINT, and that would be inherited.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    # Books, archives and logs hold names and phones: whatever a program writes is its owner's alone.
    os.umask(0o077)
    if user != "-":
        account = pwd.getpwnam(user)
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
            print("the kernel refuses a parent-death signal", flush=True)
            return CANNOT_RUN
    # The parent may have died before the call, and then no signal ever comes.
    if os.getppid() != parent:
        return PARENT_GONE
    try:
        os.execvp(program[0], program)
    except OSError as error:
        print(f"cannot be run: {program[0]}: {error.strerror}", flush=True)
        return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
