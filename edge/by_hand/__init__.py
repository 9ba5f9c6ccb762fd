"""One meter spoken to by hand, at a line that nobody else holds: the electrician's tool, `riser meter`."""
