"""Lines: requests, exchanges, ports with their threads. One thread owns a wire; the loop owns the truth."""
