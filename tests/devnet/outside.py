"""A depositor who knows web3 and the files of a devnet, and nothing of Assay's code.

python outside.py FOLDER RPC ASSAY...     ASSAY... is how the command line is called

Deposits an ounce of gold in the vault, waits 30 days of the scenario, leaves, and prints as JSON
what happened: amounts in wei.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from web3 import Web3

OUNCE = 10**18
DAYS = 30


def main(folder: Path, rpc: str, *assay: str) -> None:
    web3 = Web3(Web3.HTTPProvider(rpc))
    contracts = json.loads((folder / "contracts.json").read_text())
    me = web3.eth.account.from_key(
        json.loads((folder / "roles.json").read_text())["visitor/1"]["private_key"]
    )

    def contract(name: str):
        return web3.eth.contract(contracts[name]["address"], abi=contracts[name]["abi"])

    def send(function) -> int:
        transaction = function.build_transaction(
            {"from": me.address, "nonce": web3.eth.get_transaction_count(me.address)}
        )
        signed = me.sign_transaction(transaction)
        receipt = web3.eth.wait_for_transaction_receipt(
            web3.eth.send_raw_transaction(signed.raw_transaction), timeout=20
        )
        assert receipt["status"] == 1
        return receipt["gasUsed"]

    def tell(*words: str) -> None:
        subprocess.run([*assay, "devnet", *words, "--folder", str(folder)], check=True)

    gold, vault = contract("gold_token/token"), contract("gold_vault/gold_vault")
    began = web3.eth.get_block("latest")["timestamp"]
    tell("faucet", me.address, "1", "gold_token/token")
    send(gold.functions.approve(vault.address, OUNCE))
    assets_before = vault.functions.totalAssets().call()
    send(vault.functions.deposit(OUNCE, me.address))
    shares = vault.functions.balanceOf(me.address).call()
    tell("step", str(DAYS))
    price = vault.functions.convertToAssets(OUNCE).call()
    send(vault.functions.redeem(shares, me.address, me.address))
    found = {
        "chain_id": web3.eth.chain_id,
        "assets_before": assets_before,
        "shares": shares,
        "price": price,
        "paid": gold.functions.balanceOf(me.address).call(),
        "seconds": web3.eth.get_block("latest")["timestamp"] - began,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
