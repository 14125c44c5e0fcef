"""A stress test: what terminal and page both show, and each of the two."""
