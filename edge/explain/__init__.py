"""What stands in a frame, byte by byte: for people with a laptop at a line. Pure; run by `python -m edge.explain`."""
