"""The vault's fee: one rule for a report by itself and for both strategies' reports at once."""

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
    report_kept,
    report_lending,
    report_pool,
)
from simulator.instruments.gold_vault.moves import Fund, Price
from simulator.instruments.gold_vault.paths import simulate
from simulator.instruments.gold_vault.state import N_COHORTS, Observed, new_terms
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
FEES = {"performance_fee_bps": 2_000.0, "management_fee_bps": 100.0, "pool_fee_yield": 0.05}


def test_charge__of_a_gain__is_a_share_of_it_and_of_what_was_at_work() -> None:
    """10 % of 100 and 0.5 % of 1,000: 15, which leaves 85."""
    np.testing.assert_allclose(vault.charge(Report(100.0, 0.10, 1_000.0, 0.005)), (15.0, 85.0))


def test_charge__of_a_loss__is_the_management_fee_alone() -> None:
    """0.5 % of 1,000 on top of 100 lost."""
    np.testing.assert_allclose(vault.charge(Report(-100.0, 0.10, 1_000.0, 0.005)), (5.0, -105.0))


GAINS = (-3.0, 0.0, 0.001, 2.0)


@pytest.mark.parametrize(("lent", "pooled", "left"), product(GAINS, GAINS, (-1.0, 0.0, 4.0)))
def test_both_reports_at_once__are_the_one_and_then_the_other(lent, pooled, left) -> None:
    """Of 700 and 200 oz at work `lent` and `pooled` oz were gained, with 10 oz locked before."""
    terms = new_terms(GoldVaultTerms.model_validate(FEES), FREE, 1.0, 0.0, 18)
    before = Vault(100.0, 980.0, 700.0, 200.0, 10.0, 50.0 + left)
    fund = Fund(Market(700.0 + lent, 0.0, 1.0, 650.0, 0.0), before, 650.0, 200.0 + pooled)
    supply = Price((700.0 + lent) / 650.0, 650.0 / (700.0 + lent))
    price = Price(vault.share_price(before), vault.shares_per_ounce(before))
    nothing = BySource(0.0, 0.0, 0.0, 0.0, 0.0)
    buffer = BySource(6.0, 5.0, -1.0, 0.0, 0.0)
    books = report_lending(Books(fund, buffer, nothing), supply, 0.0, 7.0, 50.0, terms)
    books = report_pool(books, 2.0, 50.0, terms)
    found, kept, keeps = report_kept(fund, buffer, supply, price, 7.0, 2.0, 50.0, terms)
    assert keeps
    assert books.released == nothing
    np.testing.assert_allclose(found.vault, books.fund.vault, rtol=1e-13)
    np.testing.assert_allclose(kept, books.buffer, rtol=1e-13)


def played(unlock_days: float, record: bool) -> list[float]:
    """The holder's ounces at the horizon, and the share price of the record where there is one.

    A calm vault with loans; with `unlock_days` of 0 every report is booked by itself.
    """
    gold, still = np.full(SHAPE, 4_000.0), np.zeros(SHAPE)
    prices = TokenPrices(gold, gold.copy(), still, still + 1.0)
    rewards, never = np.zeros(N_STEPS + 1), np.full(LANES, 10**6)
    drivers = GoldVaultDrivers(prices, still + 9_000.0, still.copy(), still + 1.0, rewards, never)
    terms = GoldVaultTerms.model_validate({"profit_unlock_days": unlock_days, **FEES})
    paths, kept = simulate(terms, TOKEN, FREE, drivers, 100.0, record=record)
    seen = kept.observed[-1, :1, Observed.SHARE_PRICE] if record else np.empty(0)
    return [float(paths.mark["ounces"][-1, 0]), *seen.tolist()]


WAYS = {
    "both reports at once": (7.0, False),
    "both reports at once, recorded": (7.0, True),
    "each report by itself": (0.0, False),
    "each report by itself, recorded": (0.0, True),
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
