"""The simulator of everything: real edges, simulated meters, lines, brokers and people, a manual clock, and one seed."""
