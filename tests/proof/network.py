"""A network of this process's own, with a loopback that can be taken down: a partition that the kernel makes.

Whoever enters cannot leave: threads and children that are made from then on live in it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

NEW_NETWORK = 0x40000000  # CLONE_NEWNET, unshare(2)
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP, netdevice(7)


def enter() -> bool:
    """Begin a network of our own, with a loopback that is up. False where the machine does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK) != 0:
        return False
    loopback(True)
    return True


def loopback(up: bool) -> None:
    """Take it down, and nothing reaches anybody; take it up, and what was sent meanwhile is sent again by TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        found = fcntl.ioctl(asking, GET_FLAGS, struct.pack("16sh14x", b"lo", 0))
        (flags,) = struct.unpack_from("h", found, 16)
        wanted = flags | UP if up else flags & ~UP
        fcntl.ioctl(asking, SET_FLAGS, struct.pack("16sh14x", b"lo", wanted))


def where() -> str:
    """The name of the network that this process lives in."""
    return os.readlink("/proc/thread-self/ns/net")
