"""What loans use of `lending_market`, by its canonical signature."""

FUNCTIONS = {
    "supply_collateral(uint256,address)": "",
    "withdraw_collateral(uint256,address)": "",
    "borrow(uint256,address)": "",
    "repay(uint256,address)": "uint256",
    "liquidate(address,uint256)": "uint256,uint256",
    "deposit(uint256,address)": "uint256",
    "redeem(uint256,address,address)": "uint256",
    "withdraw(uint256,address,address)": "uint256",
    "accrue()": "",
    "debt_of(address)": "uint256",
    "collateral_of(address)": "uint256",
    "is_liquidatable(address)": "bool",
    "ltv(address)": "uint256",
    "utilisation()": "uint256",
    "total_bad_debt()": "uint256",
}
TOPICS = {
    "CollateralSupplied(address,address,uint256)": 2,
    "CollateralWithdrawn(address,address,uint256)": 2,
    "Borrowed(address,address,uint256)": 2,
    "Repaid(address,address,uint256)": 2,
    "Liquidated(address,address,uint256,uint256)": 2,
    "BadDebt(address,uint256,uint256)": 1,
}
