"""A program that hangs: it ignores every polite signal, and so does the child it made."""

import os
import signal
import time

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
os.fork()
print(f"stubborn {os.getpid()}", flush=True)
while True:
    time.sleep(60)
