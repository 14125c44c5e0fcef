"""The warehouse receipt: by hand, by its sums, by its contract, and on a chain.

Needs the package installed (`pip install -e .`), since scenarios find it by its entry point.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acme_warehouse import CARD
from acme_warehouse.model import MODEL, SOURCES, WarehouseDrivers
from acme_warehouse.terms import WarehouseTerms

from simulator.chain import Call, Contract, RevmChain, development_account, load_artifact
from simulator.chain.compile import compile_patched, source_hash
from simulator.engine import simulate
from simulator.errors import TransactionReverted
from simulator.instruments.base import InstrumentPaths, attribution_gap
from simulator.instruments.checks import faults_of
from simulator.instruments.model import Ask, Setting
from simulator.instruments.page import Paragraph, Table
from simulator.instruments.registry import cards
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.market.events import NEVER
from simulator.replay import Replay, play, players
from simulator.report.rooms import sections
from simulator.scenario import load_scenario
from simulator.units import FloatArray, midnight_timestamp

HERE = Path(__file__).resolve().parents[1]
SCENARIO = HERE / "warehouse.yaml"
SOURCE = HERE / "contracts" / "warehouse_receipt.vy"

DAY, WAD, RAY = 86_400, 10**18, 10**27
OPENED = 1_735_689_600
"""2025-01-01 00:00 UTC: storage is charged from then on."""

NO_GROUND: Any = None
"""A receipt stands on no other instrument."""

WAREHOUSE, AUDITOR, DEPOSITOR, STRANGER = map(development_account, range(1, 5))


def held(
    terms: WarehouseTerms, price: FloatArray, missing: list[int], size: float
) -> InstrumentPaths:
    """Return the paths of `size` dollars; `price`, USD, is of shape (n_steps + 1, n_paths)."""
    open_days = np.ones(price.shape[0], bool)
    setting = Setting(
        1, 0, price.shape[0] - 1, price.shape[1], dt.date(2025, 1, 1), open_days, {"gold": price}
    )
    drivers = WarehouseDrivers(price, np.array(missing, np.int64))
    ask = Ask(size, days=frozenset({"r"}))
    return MODEL.play("r", terms, drivers, setting, ask, NO_GROUND).paths["r"]


# -- the model, by hand ----------------------------------------------------------------------


def test_two_days__by_hand() -> None:
    """1,000 USD of receipts at 100 USD are 10; 0.1 % a day, half of it missing on day 2.

    Metal 10, 9.99, 9.99 x 0.999 x 0.5 = 4.990005; at 100, 110 and 121 USD.
    Price 10 x 10 + 9.99 x 11 = 209.89; storage 10 x 0.001 x 110 + 9.99 x 0.001 x 121 = 2.30879;
    missing 9.99 x 0.999 x 0.5 x 121 = 603.790605, as much as is left; 1 % of that to deliver it.
    """
    terms = WarehouseTerms(storage_fee=0.365, delivery_fee_bps=100, missing_share=0.5)
    paths = held(terms, np.array([[100.0], [110.0], [121.0]]), [2], 1_000.0)
    assert paths.mark["usd"][:, 0] == pytest.approx([1_000.0, 1_098.9, 603.790605])
    assert paths.exit["usd"][:, 0] == pytest.approx([1_000.0, 1_087.911, 597.75269895])
    found = dict(zip((s.name for s in SOURCES), paths.attribution["usd"][:, 0], strict=True))
    assert found == pytest.approx(
        {"price": 209.89, "storage": -2.30879, "missing": -603.790605, "delivery": -6.03790605}
    )
    assert paths.events[0] == 1


def test_year__by_hand__leaves_what_a_daily_fee_leaves() -> None:
    """(1 - 0.01 / 365)^365 = exp(-0.01 - 0.01^2 / 730 - ...) = 0.9900498 - 0.0000001."""
    terms = WarehouseTerms(storage_fee=0.01, missing_share=0.4)
    paths = held(terms, np.full((366, 2), 50.0), [NEVER, 200], 50.0)
    whole, short = paths.details["metal_per_receipt"][-1]
    assert whole == pytest.approx(0.9900498337 * (1 - 0.01**2 / 730), rel=1e-9)
    assert short == pytest.approx(0.6 * whole, rel=1e-12)
    assert paths.happened["missing"].tolist() == [False, True]


# -- in a scenario ---------------------------------------------------------------------------


def test_attribution__of_the_ready_scenario__sums_to_the_return() -> None:
    loaded = load_scenario(str(SCENARIO), overrides=["instruments.gold_receipt.missing_hazard=1"])
    world = simulate_block(
        loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0, 256
    )
    paths = world.instruments["gold_receipt"]
    assert paths.daily is not None, "a portfolio holds it"
    assert not faults_of(paths)
    assert attribution_gap(world.investors["half_and_half"].holding, "usd").max() < 1e-9


def test_missing__at_a_hazard_of_a_half__is_as_often_as_a_poisson_process_says() -> None:
    """P(first event within a year) = 1 - exp(-0.5) = 39.3 %; three errors of 4,096 draws."""
    setting = Setting(
        7, 0, 365, 4_096, dt.date(2025, 1, 1), np.ones(366, bool), {"gold": np.ones((366, 4_096))}
    )
    terms = WarehouseTerms(kind="acme_warehouse", missing_hazard=0.5)
    steps = MODEL.draw("r", terms, setting, NO_GROUND).missing_step
    share = 1.0 - np.exp(-0.5)
    error = np.sqrt(share * (1.0 - share) / 4_096)
    assert abs(float((steps <= 365).mean()) - share) < 3.0 * error
    other = MODEL.draw("another", terms, setting, NO_GROUND).missing_step
    assert (steps != other).mean() > 0.9, "each label draws for itself"


def test_page__says_where_the_return_came_from() -> None:
    loaded = load_scenario(str(SCENARIO), overrides=["paths=128", "horizon_days=60"])
    simulation = simulate(loaded.scenario, loaded.calibration, workers=1)
    table, words = dict(sections(simulation))["gold_receipt"].blocks
    assert isinstance(table, Table)
    assert isinstance(words, Paragraph)
    assert [row[0] for row in table.rows] == [source.label for source in SOURCES]
    assert "of the gold missing" in words.text


# -- on a chain ------------------------------------------------------------------------------


def replayed(*mutations: tuple[str, str]) -> Replay:
    """Play path 0, on which metal is found missing, with the contract as it is or changed."""
    changes = ("horizon_days=60", "instruments.gold_receipt.missing_hazard=10")
    loaded = load_scenario(str(SCENARIO), overrides=changes)
    scenario = loaded.scenario
    cast = players(scenario, market_spec(scenario, loaded.calibration), 0)
    name, edits = SOURCE.stem, [(SOURCE.name, old, new) for old, new in mutations]
    patched = {name: compile_patched(SOURCE, *edits)} if edits else {}
    with RevmChain(midnight_timestamp(scenario.start)) as chain:
        return play(chain, cast, scenario.start, 60, "0", 0, patched=patched)


def test_replay__of_a_path_with_a_shortfall__agrees() -> None:
    found = replayed()
    assert found.ok, [item for item in found.observables if not item.ok]
    own = {item.name for item in found.observables if item.instrument == "gold_receipt"}
    assert own == {"metal_per_receipt", "receipts", "metal_held", "exit_usd"}
    assert float(found.series["model"].min()) < 0.75, "metal was found missing"


def test_replay__of_a_contract_that_keeps_a_hundredth_of_a_percent_more__differs() -> None:
    pytest.importorskip("vyper")
    found = replayed(("metal, delivery_fee_bps, _BPS", "metal, delivery_fee_bps + 1, _BPS"))
    assert [item.name for item in found.observables if not item.ok] == ["exit_usd"]


# -- the contract ----------------------------------------------------------------------------


class Warehouse:
    """A warehouse on a chain of its own: 36.5 % a year for storage, 1 % for delivery."""

    def __init__(self, chain: RevmChain) -> None:
        artifact = load_artifact("warehouse_receipt", CARD.artifacts)
        terms = ("Gold receipt", "aWR", WAREHOUSE, AUDITOR, 365 * 10**15, 100, OPENED)
        self.chain = chain
        self.contract: Contract = chain.deploy(artifact, terms, sender=development_account(0))

    def read(self, view: str, *args: object) -> int:
        return int(self.contract.read(self.chain, view, *args))

    def send(self, function: str, *args: object, sender: str, day: int = 0) -> None:
        self.chain.block(OPENED + day * DAY, [self.call(function, *args, sender=sender)])

    def call(self, function: str, *args: object, sender: str) -> Call:
        return self.contract.call(function, *args, sender=sender)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """Yield a warehouse in which the depositor has 10 receipts."""
    with RevmChain(OPENED) as chain:
        opened = Warehouse(chain)
        opened.send("issue", DEPOSITOR, 10 * WAD, sender=WAREHOUSE)
        yield opened


def test_accrue__before_and_after_the_opening__charges_the_days_since(warehouse: Warehouse) -> None:
    """0.1 % a day, simple within the time that has passed: 1, then 0.998 after two days."""
    assert warehouse.read("index") == RAY
    warehouse.send("accrue", sender=STRANGER, day=2)
    assert warehouse.read("index") == 998 * RAY // 1_000


def test_accrue__after_more_than_all_of_it__leaves_nothing(warehouse: Warehouse) -> None:
    """100 % / 36.5 % a year are 1,000 days."""
    warehouse.send("accrue", sender=STRANGER, day=1_001)
    assert warehouse.read("index") == 0
    with pytest.raises(TransactionReverted, match="warehouse_receipt: no metal behind"):
        warehouse.send("issue", DEPOSITOR, WAD, sender=WAREHOUSE, day=1_002)


def test_redeem__after_a_shortfall__pays_what_is_there(warehouse: Warehouse) -> None:
    """10 receipts, 30 % missing: 7 units, less 1 %; half now, half a day later at 0.1 % less."""
    warehouse.send("report_missing", 3 * WAD // 10, sender=AUDITOR)
    warehouse.send("redeem", 5 * WAD, sender=DEPOSITOR)
    assert warehouse.read("delivered", DEPOSITOR) == 3_465 * WAD // 1_000
    warehouse.send("redeem", 5 * WAD, sender=DEPOSITOR, day=1)
    assert warehouse.read("delivered", DEPOSITOR) == (3_465_000 + 3_461_535) * WAD // 1_000_000
    assert warehouse.read("totalSupply") == 0


@pytest.mark.parametrize(
    ("function", "args", "sender", "message"),
    [
        ("issue", (STRANGER, WAD), STRANGER, "not the warehouse"),
        ("report_missing", (WAD,), WAREHOUSE, "not the auditor"),
        ("report_missing", (WAD + 1,), AUDITOR, "more is missing than there was"),
        ("redeem", (10 * WAD + 1,), DEPOSITOR, "exceeds receipts held"),
    ],
)
def test_call__that_must_not_be__reverts(
    warehouse: Warehouse, function: str, args: tuple[object, ...], sender: str, message: str
) -> None:
    with pytest.raises(TransactionReverted, match=f"warehouse_receipt: {message}"):
        warehouse.send(function, *args, sender=sender)


def test_artifact__is_that_of_the_source() -> None:
    pytest.importorskip("snekmate")
    built = load_artifact("warehouse_receipt", CARD.artifacts)
    assert built.source_hash == source_hash(SOURCE), "run build_contract.py"


def test_registry__has_the_installed_card() -> None:
    assert cards()["acme_warehouse"] is CARD
