"""Gas of the holders' transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {
    "enter": 323_590,
    "borrow": 112_750,
    "buy": 205_130,
    "release": 102_590,
    "leave": 387_903,
    "sell": 165_380,
    "supply": 145_360,
    "redeem": 93_430,
}
"""Of a borrower: approvals, first purchase and deposit; one loan; one more purchase and deposit;
what a liquidation left; repayment, release and sale; a sale alone. Of a supplier: in and out."""
