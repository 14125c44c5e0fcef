"""Runs side by side: what terminal and page both show, and each of the two."""
