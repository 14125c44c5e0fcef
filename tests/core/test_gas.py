"""The gas that is booked is the scenario's: as measured unless it says otherwise, everywhere."""

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine.simulate import simulate
from simulator.errors import InputError
from simulator.instruments.registry import cards
from simulator.scenario import load_scenario

NAME = "copper-cover"
SMALL = ("paths=128", "horizon_days=120")


def costs(*overrides):
    """Return the dollars that the underwriter's gas costs on each path, and a unit's price."""
    loaded = load_scenario(NAME, overrides=[*SMALL, *overrides])
    measured = simulate(loaded.scenario, loaded.calibration).investors["underwriter"]
    place = [source.name for source in measured.sources].index("gas")
    return -measured.attribution["usd"][place], loaded.scenario.gas.usd_per_gas


def test_gas__left_out__is_as_measured_and_written_out_with_its_source():
    loaded = load_scenario("hard-assets-2026")
    kinds = {terms.kind for terms in loaded.scenario.instruments.values()}
    booked = {kind: dict(cards()[kind].gas) for kind in kinds if cards()[kind].gas}
    assert booked.keys() == {
        *("gold_vault", "mining_sto", "revenue_staking", "price_cover"),
        *("miner_perp", "solar_nft", "token_loan", "gold_pool"),
    }
    assert loaded.scenario.gas.used == booked
    origin = loaded.provenance["gas.used.gold_vault.enter"]
    assert origin.mark == "observed"
    assert "Anvil" in origin.source


def test_gas__shown__loads_the_same(tmp_path):
    shown = CliRunner().invoke(main, ["scenario", "show", NAME]).stdout
    assert "measured on Anvil" in shown
    (tmp_path / "own.yaml").write_text(shown, encoding="utf-8")
    again = load_scenario(tmp_path / "own.yaml")
    assert again.scenario.gas == load_scenario(NAME).scenario.gas
    assert again.provenance["gas.used.price_cover.leave"].mark == "observed"


def test_gas__of_an_act_set__costs_as_much_more_and_the_others_stay():
    usual, price = costs()
    # by hand: every path enters once, and asks once for its money
    acts = cards()["price_cover"].gas
    more, _ = costs(f"gas.used.price_cover.enter={acts['enter'] + 1_000_000}")
    assert more - usual == pytest.approx(1_000_000 * price)
    more, _ = costs(f"gas.used.price_cover.request={acts['request'] + 500_000}")
    assert more - usual == pytest.approx(500_000 * price)
    loaded = load_scenario(NAME, overrides=["gas.used.price_cover.enter=5"])
    assert loaded.scenario.gas.used["price_cover"] == {**acts, "enter": 5}
    assert loaded.provenance["gas.used.price_cover.enter"].mark == "assumption"
    assert loaded.provenance["gas.used.price_cover.leave"].mark == "observed"


@pytest.mark.parametrize(
    "changes",
    [
        ("gold-vault-sober", "gas.used.gold_vault={enter: 5e6, claim: 2e6, leave: 9e6}"),
        ("copper-sto", "gas.used.mining_sto={enter: 5e6, claim: 2e6, leave: 9e6}"),
        ("copper-sto", "gas.used.revenue_staking={stake: 5e6, claim: 2e6, leave: 9e6}"),
        (NAME, "gas.used.price_cover={enter: 5e6, request: 2e6, leave: 9e6}"),
    ],
)
def test_gas__set__is_booked_alike_by_model_and_replay(changes):
    pytest.importorskip("pyrevm")
    name, override = changes
    command = ["replay", name, "--chain", "revm", "--path", "p50", "--set", override]
    outcome = CliRunner().invoke(main, [*command, "--set", "paths=128"])
    assert outcome.exit_code == 0, outcome.output
    assert "DIFFERS" not in outcome.output


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("gas.used.gold_valt.enter", "is no kind of instrument that books gas: gold_vault, mining"),
        ("gas.used.gold_token.enter", "is no kind of instrument that books gas"),
        ("gas.used.gold_vault.request", "is no act of a gold_vault: enter, claim, leave"),
    ],
)
def test_gas__of_what_books_none__is_refused(place, rule):
    with pytest.raises(InputError) as refused:
        load_scenario(NAME, overrides=[f"{place}=1"])
    (problem,) = refused.value.problems
    assert place.startswith(problem.field)
    assert rule in problem.rule


def test_gas__negative__is_refused():
    with pytest.raises(InputError, match="must be at least 0"):
        load_scenario(NAME, overrides=["gas.used.price_cover.enter=-1"])
