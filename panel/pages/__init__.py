"""One blueprint for each job of a person."""
