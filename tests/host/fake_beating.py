"""A program that beats as ours do: once for each line `work` in its file, and says so."""

from __future__ import annotations

import os
import sys
import time

from bridge.contract.clock import SystemClock
from bridge.contract.progress import Progress

progress = Progress(SystemClock())
print(f"watched {progress.watched} {os.getpid()}", flush=True)
while True:
    progress.beat()
    time.sleep(float(sys.argv[1]))
