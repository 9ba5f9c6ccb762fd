"""The edge: one per shaft. Owns its ports, its meters and its book; needs nobody to bill, warn, cut and restore."""
