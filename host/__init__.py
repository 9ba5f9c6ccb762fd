"""What runs on this machine: the broker, the programs, the demo, and what can be said about them."""
