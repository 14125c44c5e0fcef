"""Mutants of the models' kernels: which are drawn, where they are put, which tests must fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mutators import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_260_101
TOTAL = 12
"""The least mutants of a product; its files draw alike."""

ROOMS, TWINS = "simulator/instruments", "simulator/mechanics"
VAULT, MINING, COVER = f"{ROOMS}/gold_vault", f"{ROOMS}/mining", f"{ROOMS}/price_cover"
PERP = f"{ROOMS}/miner_perp"
LOAN = f"{ROOMS}/token_loan"
FILES = {
    "holding": (f"{ROOMS}/holding/paths.py",),
    "gold_token": (f"{ROOMS}/gold_token/draws.py", f"{ROOMS}/gold_token/split.py"),
    "gold_vault": (
        *(f"{VAULT}/{name}.py" for name in ("kernel", "stages", "moves", "borrowers", "managers")),
        *(f"{VAULT}/{name}.py" for name in ("lanes", "cohorts", "holder", "draws", "pool_leg")),
        *(f"{TWINS}/{name}.py" for name in ("vault", "lending", "staking", "pool_strategy")),
    ),
    "mining_sto": (
        *(f"{MINING}/{name}.py" for name in ("kernel", "holder", "payments", "output_kernel")),
        f"{TWINS}/mine.py",
    ),
    "mine_equity": (f"{MINING}/equity_kernel.py", f"{MINING}/worth.py"),
    "revenue_staking": (f"{MINING}/staking.py",),
    "price_cover": (
        *(f"{COVER}/{name}.py" for name in ("kernel", "policies", "books")),
        f"{TWINS}/cover.py",
    ),
    "miner_perp": (
        *(f"{PERP}/{name}.py" for name in ("kernel", "trades", "days", "drivers", "market")),
        *(f"{PERP}/{name}.py" for name in ("orders", "closings", "leaving")),
        f"{TWINS}/perp.py",
    ),
    "solar_nft": (
        *(f"{ROOMS}/solar_nft/{name}.py" for name in ("kernel", "books", "draws", "worth")),
        f"{TWINS}/solar.py",
    ),
    "token_loan": (
        *(f"{LOAN}/{name}.py" for name in ("kernel", "opening", "loans", "book", "drivers")),
        f"{TWINS}/loop.py",
    ),
    "gold_pool": (
        *(f"{ROOMS}/gold_pool/{name}.py" for name in ("kernel", "stages", "draws")),
        f"{TWINS}/pool.py",
    ),
}
TESTS = {
    "holding": ("tests/instruments/holding",),
    "gold_token": ("tests/instruments/gold_token",),
    "gold_vault": (
        "tests/core/test_mechanics.py",
        *(
            f"tests/instruments/gold_vault/test_{name}.py"
            for name in ("draws_by_hand", "daily", "gold_vault", "vault_oracle", "fee_rule")
        ),
    ),
    "mining_sto": (
        "tests/instruments/mining/test_sto_by_hand.py",
        "tests/instruments/mining/test_kernels_by_hand.py",
        "tests/instruments/mining/test_mine.py",
        "tests/instruments/mining/test_mining_sto.py",
        "tests/instruments/mining/test_faults_ended.py",
    ),
    "mine_equity": (
        "tests/instruments/mining/test_sto_by_hand.py",
        "tests/instruments/mining/test_kernels_by_hand.py",
        "tests/instruments/mining/test_mine.py",
        "tests/instruments/mining/test_mining_sto.py",
    ),
    "revenue_staking": (
        "tests/instruments/mining/test_kernels_by_hand.py",
        "tests/instruments/mining/test_revenue_staking.py",
    ),
    "price_cover": (
        "tests/instruments/price_cover/test_cover_kernels_by_hand.py",
        "tests/instruments/price_cover/test_price_cover.py",
        "tests/instruments/price_cover/test_faults_ended.py",
    ),
    "miner_perp": (
        "tests/instruments/miner_perp/test_miner_perp_by_hand.py",
        "tests/instruments/miner_perp/test_miner_perp_oracle.py",
    ),
    "solar_nft": (
        "tests/instruments/solar_nft/test_solar_by_hand.py",
        "tests/instruments/solar_nft/test_solar_nft.py",
    ),
    "token_loan": tuple(
        f"tests/instruments/token_loan/test_loan_{name}.py"
        for name in ("by_hand", "draws", "oracle")
    ),
    "gold_pool": (
        "tests/instruments/gold_pool/test_gold_pool.py",
        "tests/instruments/gold_pool/test_gold_pool_draws.py",
    ),
}
"""The tests of each product's model, cheapest first; those on a chain are left out."""

OPTIONS = ("--without-chain",)


def draw(product: str, scratch: Path) -> list[tuple[Mutant, None]]:
    """Return a product's mutants: alike many of each of its files."""
    del scratch
    count = -(-TOTAL // len(FILES[product]))
    return [(mutant, None) for file in FILES[product] for mutant in ranked(file)[:count]]


def ranked(file: str) -> list[Mutant]:
    """Return a module's mutants in the order of the draw."""
    found = mutants(file, (ROOT / file).read_text(), removes_names=False)
    return sorted(found, key=lambda mutant: mutant.rank(SEED))


@contextmanager
def in_place(
    subject: str, mutant: Mutant | None, artifact: None, scratch: Path
) -> Iterator[dict[str, str]]:
    """Put a mutant into a copy of the package: yield the variables that make tests import it.

    The copy stays at its place, so that kernels which no mutant touches are compiled once.
    """
    del subject, artifact
    if not (scratch / "simulator").is_dir():
        shutil.copytree(
            ROOT / "simulator", scratch / "simulator", ignore=shutil.ignore_patterns("__pycache__")
        )
        (scratch / "scenarios").symlink_to(ROOT / "scenarios")
    if mutant is not None:
        text = (ROOT / mutant.file).read_text()
        (scratch / mutant.file).write_text(mutant.apply(text))
    try:
        yield {
            "PYTHONPATH": str(scratch),
            "NUMBA_CACHE_DIR": str(scratch / "kernels"),
            # A mutant that reads past an array fails, in place of reading what happens to be there.
            "NUMBA_BOUNDSCHECK": "1",
        }
    finally:
        if mutant is not None:
            shutil.copy2(ROOT / mutant.file, scratch / mutant.file)
