"""A contract of somebody's own on trial: held to its standard, and to what a bad year does."""
