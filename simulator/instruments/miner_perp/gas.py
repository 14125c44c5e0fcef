"""Gas of the holders' transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {
    "enter": 304_568,
    "leave": 114_551,
    "provide": 229_822,
    "request": 70_288,
    "claim": 152_370,
}
"""A trader's entering (approval, margin, order) and leaving (order, margin), a provider's deposit
with its approval, request and claim. Whoever executes orders is paid for it by their margins."""
