"""What can be held: terms, drivers and paths of each instrument."""
