"""The simulator of everything: real edges, simulated meters, lines, brokers and people, one clock, one seed."""
