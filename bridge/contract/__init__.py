"""The floor: units, clock, ids, messages, signing, the site file. Everyone may import it; it imports nobody here."""
