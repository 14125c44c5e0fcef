"""Rules shared by the instruments, one path at a time."""
