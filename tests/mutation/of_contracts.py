"""Mutants of the contracts: which are drawn, how they are compiled, which tests must fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mutators import Mutant, mutants, named
from vyper.exceptions import VyperException

from simulator.chain.artifacts import Artifact, load_artifact
from simulator.chain.compile import compile_source, contract_sources, imported_sources

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "simulator" / "chain" / "artifacts"
SEED = 20_260_101
OWN, TOTAL, OF_A_MODULE = 10, 15, 5
"""The least mutants of a contract's own file, of a contract, and of a module over all contracts."""

VAULT = (
    "gold_vault_contract accrual_vault roundings_vault dust corners rounding pool_shares"
    " third_audit attacks audit second_audit"
)
MARKET = (
    "lending_market accrual_market roundings_market pool_shares corners attacks audit second_audit"
    " third_audit"
)
STO = (
    "mining_sto_contract accrual_sto roundings_sto sto_sale mining_sto_profit second_audit attacks"
    " third_audit_sto"
)
PLACES = ("tests/contracts", "tests/instruments")
STEMS = {
    "compliance": "compliance mining_sto_contract roundings_sto second_audit sto_sale accrual_sto"
    " corners third_audit_sto",
    "desk": "desk roundings_tokens",
    "feed_reader": "feed_reader price_cover_contract cover_window",
    "gold_pool": "gold_pool_contract gold_pool_stateful",
    "gold_token": "gold_token_contract price_feed roundings_tokens audit gold_token_stateful",
    "gold_vault": f"{VAULT} vault_and_market_stateful",
    "identity_registry": "identity_registry mining_sto_contract",
    "miner_index": "miner_perp_corners miner_perp_contract",
    "miner_perp": "miner_perp_corners miner_perp_contract miner_perp_stateful",
    "lending_market": f"{MARKET} reversed_market vault_and_market_stateful"
    " reversed_market_stateful",
    "mining_sto": f"{STO} corners mining_sto_stateful",
    "pool_strategy": "pool_strategy",
    "price_cover": "price_cover_contract accrual_cover roundings_cover cover_window"
    " price_cover_attacks pool_shares corners price_cover_stateful",
    "price_feed": "price_feed roundings_tokens",
    "revenue_staking": "revenue_staking_contract accrual_sto roundings_sto corners"
    " mining_sto_stateful",
    "reward_token": "reward_token staking_rewards",
    "stage_strategy": "stage_strategy roundings_vault corners gold_vault_contract",
    "staking_rewards": "staking_rewards accrual_staking roundings_tokens corners audit"
    " staking_rewards_stateful",
    "sto_raise": "sto_raise sto_sale roundings_sto third_audit_sto audit sto_raise_stateful",
    "usdc": "usdc roundings_tokens audit",
    "solar_nft": "solar_nft_contract nft_desk solar_nft_stateful",
    "nft_desk": "nft_desk",
    "vault_queue": f"{VAULT} vault_and_market_stateful",
}
"""The tests of each contract, cheapest first: `desk` for `test_desk.py`, wherever that lies."""


def _file(stem: str) -> str:
    """Return the one file of tests of that name; they are entered above by hand."""
    (path,) = (file for part in PLACES for file in (ROOT / part).rglob(f"test_{stem}.py"))
    return str(path.relative_to(ROOT))


TESTS = {name: tuple(map(_file, stems.split())) for name, stems in STEMS.items()}
OPTIONS = ()

ACCRUING = ("withdraw", "redeem", "withdraw_collateral", "liquidate", "mint")
NAMED: tuple[tuple[str, str, str, str, str | None], ...] = (
    *(
        ("lending_market", "contracts/lending_market.vy", function, "self._accrue()", None)
        for function in ACCRUING
    ),
    (
        "gold_vault",
        "contracts/gold_vault.vy",
        "update_debt",
        "strategy_book._book_loss(strategy, strategy_book._value_of(strategy))",
        None,
    ),
    ("gold_vault", "contracts/gold_vault.vy", "mint", "self._adopt_orphans()", None),
    ("lending_market", "contracts/lending_market.vy", "mint", "self._adopt_orphans()", None),
    (
        "mining_sto",
        "contracts/modules/dividend_stream.vy",
        "_pay_in",
        "self._carried = pot % stream_seconds",
        "self._carried = 0",
    ),
    ("mining_sto", "contracts/modules/dividend_stream.vy", "_pay_in", " + self._carried", ""),
    (
        "lending_market",
        "contracts/lending_market.vy",
        "_write_off",
        "share_math._to_shares(covered, total_assets, supply, True)",
        "share_math._to_shares(covered, total_assets, supply, False)",
    ),
    (
        "lending_market",
        "contracts/modules/loan_health.vy",
        "_collateral_value",
        "_COLLATERAL_UNIT, False",
        "_COLLATERAL_UNIT, True",
    ),
)
"""Contract, file, function, what is there, what stands in its place (None: it is left out)."""


def draw(contract: str, scratch: Path) -> list[tuple[Mutant, Artifact]]:
    """Return a contract's mutants, compiled: the named ones, then the drawn ones.

    Contracts that share a module draw different mutants of it, each after those of the one before.

    Raises
    ------
    ValueError
        If a named mutant is no longer to be found in the source.
    """
    original = code(load_artifact(contract).bytecode)
    drawn: list[tuple[Mutant, Artifact]] = []
    for name, file, function, old, new in NAMED:
        if name == contract:
            mutant = named(file, (ROOT / file).read_text(), function, old, new)
            if (artifact := compiled(contract, mutant, scratch)) is None:
                raise ValueError(f"{mutant}\nthis named mutant does not compile")
            drawn.append((mutant, artifact))
    seen = {mutant for mutant, _ in drawn}
    missing = 0
    wanted = shares(contract)
    for file, count in [*wanted.items(), *dict.fromkeys(wanted, 0).items()]:
        missing += count
        before = importers(file).index(contract) * count
        order = ranked(file)
        for mutant in order[before:] + order[:before]:
            if missing == 0:
                break
            if mutant in seen or (artifact := compiled(contract, mutant, scratch)) is None:
                continue
            if code(artifact.bytecode) != original:
                drawn.append((mutant, artifact))
                seen.add(mutant)
                missing -= 1
    return drawn


def shares(contract: str) -> dict[str, int]:
    """Return how many mutants of each file a contract draws: its modules, then its own.

    What a short file has not got is drawn from the files after it, and then from all again.
    """
    of_modules = {
        file: -(-OF_A_MODULE // len(importers(file)))
        for file in files_of(contract)
        if file.startswith("contracts/modules/")
    }
    rest = sum(of_modules.values())
    own = next(file for file in files_of(contract) if Path(file).stem == contract)
    return {**of_modules, own: max(OWN, rest, TOTAL - rest)}


def ranked(file: str) -> list[Mutant]:
    """Return a source's mutants in the order of the draw."""
    found = mutants(file, (ROOT / file).read_text())
    return sorted(found, key=lambda mutant: mutant.rank(SEED))


@cache
def files_of(contract: str) -> tuple[str, ...]:
    """Return the sources that a contract is made of, relative to the root."""
    sources = imported_sources(contract_sources(CONTRACTS)[contract])
    names = (str(path.relative_to(ROOT)) for path in sources)
    return tuple(sorted(name for name in names if name.endswith(".vy")))


def importers(file: str) -> list[str]:
    """Return the contracts that a source is part of."""
    return [name for name in TESTS if file in files_of(name)]


def compiled(contract: str, mutant: Mutant, scratch: Path) -> Artifact | None:
    """Return the contract with the mutant in it, or None where that does not compile."""
    tree = scratch / "contracts"
    if not tree.is_dir():
        shutil.copytree(CONTRACTS, tree)
    changed = scratch / mutant.file
    text = (ROOT / mutant.file).read_text()
    changed.write_text(mutant.apply(text))
    try:
        return compile_source(contract_sources(tree)[contract])
    except VyperException:
        return None
    finally:
        changed.write_text(text)


def code(bytecode: bytes) -> bytes:
    """Return creation code without the compiler's note at its end, which has the source's hash."""
    return bytecode[: -int.from_bytes(bytecode[-2:], "big")]


@contextmanager
def in_place(
    subject: str, mutant: Mutant | None, artifact: Artifact | None, scratch: Path
) -> Iterator[dict[str, str]]:
    """Let tests deploy the artifact: yield the variables for them, see `tests/conftest.py`."""
    del subject, mutant
    folder = scratch / "artifacts"
    shutil.copytree(ARTIFACTS, folder, dirs_exist_ok=True)
    if artifact is not None:
        (folder / f"{artifact.name}.json").write_text(artifact.to_json())
    yield {"ASSAY_ARTIFACTS": str(folder)}
