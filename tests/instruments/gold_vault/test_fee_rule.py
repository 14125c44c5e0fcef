"""The vault's fee: one rule for a report by itself and for one that is kept locked."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.instruments.base import TokenPrices
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.managers import (
    Books,
    book_pool_loss,
    report_kept,
    report_lending,
    report_pool,
)
from simulator.instruments.gold_vault.moves import Fund, Price
from simulator.instruments.gold_vault.paths import simulate
from simulator.instruments.gold_vault.state import N_COHORTS, NO_POOL, Observed, new_terms
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.mechanics import vault
from simulator.mechanics.lending import Market
from simulator.mechanics.vault import BySource, Report, Vault
from simulator.units import LANES

ROOT = Path(__file__).resolve().parents[3]
N_STEPS = 20
SHAPE = (N_STEPS + 1, LANES)
FREE = Gas({"enter": 0.0, "claim": 0.0, "leave": 0.0}, 0.0)
TOKEN = SimpleNamespace(sale_spread_bps=0.0, decimals=18)
FEES = {"performance_fee_bps": 2_000.0, "management_fee_bps": 100.0}


def test_charge__of_a_gain__is_a_share_of_it_and_of_what_was_at_work() -> None:
    """10 % of 100 and 0.5 % of 1,000: 15, which leaves 85."""
    np.testing.assert_allclose(vault.charge(Report(100.0, 0.10, 1_000.0, 0.005)), (15.0, 85.0))


def test_charge__of_a_loss__is_the_management_fee_alone() -> None:
    """0.5 % of 1,000 on top of 100 lost."""
    np.testing.assert_allclose(vault.charge(Report(-100.0, 0.10, 1_000.0, 0.005)), (5.0, -105.0))


@pytest.mark.parametrize(("lent", "left"), product((-3.0, 0.0, 0.001, 2.0), (-1.0, 0.0, 4.0)))
def test_report_that_is_kept__is_the_report_by_itself(lent, left) -> None:
    """Of 700 oz at work `lent` oz were gained, with 10 oz locked before."""
    terms = new_terms(GoldVaultTerms.model_validate(FEES), FREE, 1.0, 0.0, 18, NO_POOL)
    before = Vault(300.0, 980.0, 700.0, 0.0, 10.0, 50.0 + left)
    fund = Fund(Market(700.0 + lent, 0.0, 1.0, 650.0, 0.0), before, 650.0, 0.0)
    supply = Price((700.0 + lent) / 650.0, 650.0 / (700.0 + lent))
    price = Price(vault.share_price(before), vault.shares_per_ounce(before))
    nothing = BySource(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    buffer = BySource(6.0, 5.0, -1.0, 0.0, 0.0, 0.0)
    books = report_lending(Books(fund, buffer, nothing), supply, 0.0, 7.0, 50.0, terms)
    found, kept, keeps = report_kept(fund, buffer, supply, price, 7.0, 50.0, terms)
    assert keeps
    assert books.released == nothing
    np.testing.assert_allclose(found.vault, books.fund.vault, rtol=1e-13)
    np.testing.assert_allclose(kept, books.buffer, rtol=1e-13)


@pytest.mark.parametrize("worth", [195.0, 200.0, 206.0])
def test_pools_report__splits_the_change_into_fees_and_impermanent_loss(worth) -> None:
    """200 oz owed, 1.5 oz of them earned as fees; 20 % of a gain and 1 % a year of what is owed.

    Over 73 days the management fee is 200 x 1 % / 5 = 0.4 oz.
    """
    terms = new_terms(GoldVaultTerms.model_validate(FEES), FREE, 1.0, 0.0, 18, NO_POOL)
    before = Vault(300.0, 480.0, 0.0, 200.0, 20.0, 60.0)
    nothing = BySource(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    fund = Fund(Market(0.0, 0.0, 1.0, 0.0, 0.0), before, 0.0, 0.0)
    locked = BySource(20.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    books = report_pool(Books(fund, locked, nothing), worth, 1.5, 73.0, 50.0, terms)
    assert books.fund.vault.pool_debt == worth
    assert books.buffer.pool_fees == 1.5
    assert books.buffer.impermanent == pytest.approx(worth - 200.0 - 1.5)
    fee = 0.4 + 0.2 * max(0.0, worth - 200.0)
    assert books.buffer.vault_fees == pytest.approx(-fee)
    assert books.fund.vault.locked == pytest.approx(20.0 + worth - 200.0 - fee)


def test_pools_loss__by_a_move__is_booked_without_fees_and_a_gain_not_at_all() -> None:
    """Of 200 oz owed 190 are left, 1 of fees among them: nothing is locked, so 10 hit the price."""
    terms = new_terms(GoldVaultTerms.model_validate(FEES), FREE, 1.0, 0.0, 18, NO_POOL)
    before = Vault(300.0, 500.0, 0.0, 200.0, 0.0, 0.0)
    nothing = BySource(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    books = Books(Fund(Market(0.0, 0.0, 1.0, 0.0, 0.0), before, 0.0, 0.0), nothing, nothing)
    lost = book_pool_loss(books, 190.0, 1.0, 50.0, terms)
    assert lost.fund.vault == Vault(300.0, 500.0, 0.0, 190.0, 0.0, 0.0)
    assert lost.released == BySource(0.0, 1.0 / 500, 0.0, 0.0, 0.0, -11.0 / 500)
    kept = book_pool_loss(books, 210.0, 1.0, 50.0, terms)
    assert kept.fund.vault == before
    assert kept.released == nothing


def played(unlock_days: float, record: bool) -> list[float]:
    """The holder's ounces at the horizon, and the share price of the record where there is one.

    A calm vault with loans; with `unlock_days` of 0 every report is booked by itself.
    """
    gold, still = np.full(SHAPE, 4_000.0), np.zeros(SHAPE)
    prices = TokenPrices(gold, gold.copy(), still, still + 1.0)
    rewards, never = np.zeros(N_STEPS + 1), np.full(LANES, 10**6)
    drivers = GoldVaultDrivers(
        prices,
        still + 9_000.0,
        still.copy(),
        still + 1.0,
        rewards,
        never,
        np.full(never.shape, 0.8),
    )
    terms = GoldVaultTerms.model_validate({"profit_unlock_days": unlock_days, **FEES})
    paths, kept = simulate(terms, TOKEN, FREE, drivers, 100.0, record=record)
    seen = kept.observed[-1, :1, Observed.SHARE_PRICE] if record else np.empty(0)
    return [float(paths.mark["ounces"][-1, 0]), *seen.tolist()]


WAYS = {
    "kept locked": (7.0, False),
    "kept locked, recorded": (7.0, True),
    "reaching the price": (0.0, False),
    "reaching the price, recorded": (0.0, True),
}

SCRIPT = """
import importlib, importlib.util, json, sys
name, file, tests = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, file)
sys.modules[name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
setattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2], module)
sys.path.insert(0, tests)
from test_fee_rule import WAYS, played
print(json.dumps({way: played(*how) for way, how in WAYS.items()}))
"""


def in_fresh_python(module: str, old: str, new: str, folder: Path) -> subprocess.CompletedProcess:
    """Play all `WAYS` in another interpreter, in which one formula of `module` is changed."""
    file = ROOT / (module.replace(".", "/") + ".py")
    text = file.read_text()
    assert text.count(old) == 1, "the mutation would test nothing"
    broken = folder / file.name
    broken.write_text(text.replace(old, new))
    command = [sys.executable, "-c", SCRIPT, module, str(broken), str(Path(__file__).parent)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_fee__with_its_sign_turned__reaches_every_way_of_booking(tmp_path: Path) -> None:
    fee = "fee = gain * terms.performance + terms.charged * terms.management"
    turned = "fee = -(gain * terms.performance + terms.charged * terms.management)"
    done = in_fresh_python("simulator.mechanics.vault", fee, turned, tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for way, how in WAYS.items():
        right = played(*how)
        assert all(there > here + 1e-6 for there, here in zip(found[way], right, strict=True)), way


def test_cohorts__are_eight__and_another_number_is_refused(tmp_path: Path) -> None:
    """Loops over them are written out: with another number some would be left out in silence."""
    assert N_COHORTS == 8
    state = "simulator.instruments.gold_vault.state"
    done = in_fresh_python(state, "N_COHORTS = 8", "N_COHORTS = 7", tmp_path)
    assert done.returncode != 0
    assert "AssertionError" in done.stderr
