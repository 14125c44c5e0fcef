"""Gas of the holders' transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {
    "enter": 350_000,
    "leave": 250_000,
    "provide": 250_000,
    "request": 60_000,
    "claim": 150_000,
}
"""A trader's entering (approval, margin, order, stop) and leaving (order, margin); a provider's
deposit with its approval, request and claim. Whoever executes orders pays his own."""
