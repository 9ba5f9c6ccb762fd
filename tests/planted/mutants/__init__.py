"""Mutants: small changes that a machine makes anywhere in a layer, to see what its tests notice."""
