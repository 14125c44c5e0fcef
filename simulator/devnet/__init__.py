"""A chain that lives: a scenario goes on day by day, and people act on it in between."""
