"""Where `kernel` and `inlined` stood before all layers could import them; see `simulator.jit`."""

from simulator.jit import inlined, kernel

__all__ = ["inlined", "kernel"]
