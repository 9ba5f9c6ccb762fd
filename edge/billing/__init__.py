"""Tariff, rating, windows and cut-off policy: pure functions of (state, event, now). Integers only, no I/O."""
