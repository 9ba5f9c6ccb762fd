"""Millions of made-up inputs over everything that reads bytes of a line; `python -m tests.fuzz`."""
