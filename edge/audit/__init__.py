"""Explains and checks the book from outside: only reads, also while the edge runs; what is derived here is pure."""
