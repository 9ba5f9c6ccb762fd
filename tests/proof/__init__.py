"""Proof by harm: the power is cut, the disk fails, programs are killed; `python -m tests.proof`."""
