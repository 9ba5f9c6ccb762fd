"""Finding out what is on a line: which protocol and speed, which meters, which address twice. Never writes anything."""
