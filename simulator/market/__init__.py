"""Prices: calibrated figures, counter-based draws, and the kernels that make paths of both."""
