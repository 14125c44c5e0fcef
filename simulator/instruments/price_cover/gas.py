"""Gas of the underwriter's transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {"enter": 147_544, "request": 92_685, "leave": 96_701}
"""His approval included."""
