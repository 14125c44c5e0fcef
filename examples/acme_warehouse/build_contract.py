"""Compiles the contract into the JSON that the package ships: python build_contract.py."""

from pathlib import Path

from simulator.chain.compile import compile_source

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "contracts" / "warehouse_receipt.vy"
BUILT = HERE / "acme_warehouse" / "artifacts" / "warehouse_receipt.json"

if __name__ == "__main__":
    artifact = compile_source(SOURCE)
    BUILT.write_text(artifact.to_json(), encoding="utf-8")
    print(f"{artifact.name}: {artifact.deployed_size:,} bytes")
