"""The rules of a scenario: those across fields, at their section's line, all of them at once."""

import pytest
from pydantic import BaseModel, ValidationError
from scenario_text import SOBER, changed, line_of, one_fault, refused, written

from simulator.errors import InputError
from simulator.instruments.gold_token.terms import GoldTokenTerms
from simulator.instruments.gold_vault.terms import GoldVaultTerms, LendingTerms
from simulator.scenario import Scenario, load_scenario
from simulator.scenario.claims import Condition
from simulator.scenario.models import InvestorTerms
from simulator.scenario.stablecoin import StablecoinTerms

VAULT = "instruments.gold_vault"
COIN = "market.stablecoin"


@pytest.mark.parametrize(
    ("old", "new", "section", "fault"),
    [
        (
            "idle_share: 0.05",
            "idle_share: 0.95",
            "  gold_vault:",
            f"{VAULT}: idle_share + pool_share is 1.15; must be at most 1 (1 = 100 %)",
        ),
        (
            "reserve_factor: 0.10",
            "max_ltv: 0.9",
            "lending:",
            f"{VAULT}.lending: max_ltv 0.9 must be below liquidation_threshold 0.86, or a new loan "
            "is liquidated at once",
        ),
        (
            "reserve_factor: 0.10",
            "liquidation_bonus: 0.2",
            "lending:",
            f"{VAULT}.lending: liquidation_threshold 0.86 x (1 + liquidation_bonus 0.2) must be "
            "below 1, or liquidations leave bad debt",
        ),
        (
            "reserve_factor: 0.10",
            "max_ltv: 0.7",
            "  gold_vault:",
            f"{VAULT}: borrowers.ltv_ladder goes up to 0.8; must be below lending.max_ltv 0.7",
        ),
        (
            "premium_mean: {value: 0.0006",
            "premium_mean: {value: 0.06",
            "  gold_token:",
            "instruments.gold_token: premium_mean 0.06 must be between premium_floor -0.026 and "
            "premium_ceiling 0.044",
        ),
        (
            "{measure: drawdown, unit: ounces, at_most: 0.05}",
            "{measure: drawdown, unit: ounces}",
            "{measure: drawdown, unit: ounces}",
            "claims.gold-vault-8-12.conditions[1]: must have at_least or at_most",
        ),
        (
            "{measure: drawdown, unit: ounces, at_most: 0.05}",
            "{measure: drawdown, unit: ounces, at_least: 0.2, at_most: 0.05}",
            "at_least: 0.2",
            "claims.gold-vault-8-12.conditions[1]: at_least 0.2 must not be above at_most 0.05",
        ),
        (
            "{measure: drawdown, unit: ounces, at_most: 0.05}",
            "{measure: drawdown, unit: ounces, at_most: -0.05}",
            "at_most: -0.05",
            "claims.gold-vault-8-12.conditions[1].at_most is -0.05; must be at least 0: a drawdown "
            "is never negative",
        ),
        (
            "replay:\n  subject: holder",
            "replay:\n  subject: holdr",
            "subject: holdr",
            "replay.subject is 'holdr'; must be an investor of this file; did you mean holder?",
        ),
        (
            "token_only: {holding: gold_token",
            "token_only: {holding: gold_vault",
            "token_only:",
            "investors.token_only.holding is 'gold_vault'; gold_vault has one measured holder, "
            "holder; must be another",
        ),
    ],
)
def test_rule__across_fields__stands_at_the_section(tmp_path, old, new, section, fault):
    assert one_fault(tmp_path, old, new, fragment=section) == fault


def test_rules__across_fields__are_all_listed(tmp_path):
    text = SOBER
    for old, new in (
        ("reserve_factor: 0.10", "max_ltv: 0.9\n      liquidation_bonus: 0.2"),
        ("premium_mean: {value: 0.0006", "premium_mean: {value: 0.06"),
        ("measure: drawdown, unit: ounces, at_most: 0.05", "measure: drawdown, unit: ounces"),
    ):
        text = text.replace(old, new)
    found = refused(tmp_path, text)
    assert [message.split(": ")[1] for message in found] == [
        "instruments.gold_token",
        "instruments.gold_vault.lending",
        "instruments.gold_vault.lending",
        "claims.gold-vault-8-12.conditions[1]",
    ]


def test_subjects__each_unknown_one__is_listed_at_its_own_line(tmp_path):
    text = SOBER.replace("  holder: {holding", "  holdr: {holding")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if "subject: holder" in line]
    assert refused(tmp_path, text) == [
        f"own.yaml:{line}: {field}.subject is 'holder'; must be an investor of this file; "
        "did you mean holdr?"
        for line, field in zip(
            lines, ("claims.gold-vault-8-12", "claims.gold-vault-8-12-usd", "replay"), strict=True
        )
    ]


def test_vault__held_without_terms__is_refused_and_unheld_is_fine(tmp_path):
    begin, end = SOBER.index("  gold_vault:"), SOBER.index("gas:")
    without = SOBER[:begin] + "\n" + SOBER[end:]
    assert refused(tmp_path, without) == [
        f"own.yaml:{line_of(without, '  holder: {holding')}: investors.holder.holding is "
        "'gold_vault'; must be an instrument of this file; did you mean gold_pool or gold_token?"
    ]
    unheld = without.replace("{holding: gold_vault", "{holding: gold_token")
    assert "gold_vault" not in load_scenario(written(tmp_path, unheld)).scenario.instruments


def test_market__without_gold__is_refused(tmp_path):
    begin, end = SOBER.index("    gold:\n"), SOBER.index("instruments:\n")
    text = SOBER[:begin] + "    silver: {drift: 0.03}\n" + SOBER[end:]
    assert refused(tmp_path, text) == [
        f"own.yaml:{line_of(text, '  assets:')}: market.assets.gold: is required: "
        "instruments.gold_vault follows it"
    ]


def test_models__in_python__refuse_text_truth_and_strangers():
    assert InvestorTerms(holding="gold_vault", ounces=100).ounces == 100.0
    for ounces in ("100", True, float("nan"), float("inf"), -1, None):
        with pytest.raises(ValidationError):
            InvestorTerms(holding="gold_vault", ounces=ounces)
    with pytest.raises(ValidationError, match="Extra inputs"):
        LendingTerms(kinks=0.8)
    with pytest.raises(ValidationError, match="frozen"):
        GoldTokenTerms().preset = "xaut"


def test_models__in_python__name_each_broken_rule():
    with pytest.raises(ValidationError) as caught:
        LendingTerms(max_ltv=0.9, liquidation_threshold=0.88, liquidation_bonus=0.2)
    assert "max_ltv 0.9 must be below liquidation_threshold 0.88" in str(caught.value)
    assert "(1 + liquidation_bonus 0.2) must be below 1" in str(caught.value)
    with pytest.raises(ValidationError, match=r"at_most is -0\.1; must be at least 0"):
        Condition(measure="drawdown", unit="usd", at_most=-0.1)


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_shares__at_their_bounds__are_accepted(bound):
    assert GoldVaultTerms(idle_share=bound, pool_share=0.0).idle_share == bound
    assert GoldVaultTerms(idle_share=0.4, pool="gold_pool", pool_share=0.6).pool_share == 0.6


def test_pool_share__without_a_pool__is_refused():
    with pytest.raises(ValidationError, match=r"pool_share is 0\.6; needs pool"):
        GoldVaultTerms(pool_share=0.6)


def test_decimals__are_the_presets():
    assert GoldTokenTerms(preset="paxg").decimals == 18
    assert GoldTokenTerms(preset="xaut").decimals == 6


def fields_of(model):
    """Yield (model, name, field) of a model and all models inside it."""
    for name, info in model.model_fields.items():
        yield model, name, info
        stack = [info.annotation]
        while stack:
            kind = stack.pop()
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from fields_of(kind)
            stack.extend(getattr(kind, "__args__", ()))


def test_fields__all__are_documented_and_no_section_accepts_strangers():
    for model, name, info in fields_of(Scenario):
        assert info.description, f"{model.__name__}.{name}"
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"]
        assert model.model_config["strict"]


def test_load__file_that_is_refused__is_an_input_error_with_every_problem(tmp_path):
    with pytest.raises(InputError) as caught:
        load_scenario(written(tmp_path, changed("paths: 10_000", "paths: 0")))
    (problem,) = caught.value.problems
    assert (problem.field, problem.value) == ("paths", "0")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ("day: 60, low: 0", "low is 0; must be above 0 and at most 1 (1 = a dollar)"),
        ("day: 60, low: 1.2", "low is 1.2; must be above 0 and at most 1 (1 = a dollar)"),
        (
            "day: -3, low: 0.87",
            "day is -3; must be at least 1 (Step on which it falls on every path; none = only as "
            "`hazard` has it)",
        ),
        ("day: 400, low: 0.87", "day is 400; must be at most 365, the last day of the run"),
        (
            "day: 60, low: 0.87, recovers_days: 0",
            "recovers_days is 0; must be above 0 (Days until what comes back is back, evenly from "
            "the low)",
        ),
        (
            "day: 60, low: 0.87, hazard: -1",
            "hazard is -1; must be 0 to 10 (Falls a year by chance; the first one counts, and only "
            "if it comes before `day`)",
        ),
        (
            "day: 60, low: 0.87, lasting_loss: 0.2",
            "lasting_loss is 0.2; must be at most 0.13: it lies at 0.87 on its lowest day",
        ),
        ("low: 0.87", "day: is required, or hazard beside it: without either USDC never falls"),
    ],
)
def test_stablecoin__that_cannot_fall_so__is_refused(tmp_path, terms, fault) -> None:
    line = f"  stablecoin: {{{terms}}}"
    assert (
        one_fault(tmp_path, "  model: garch", f"  model: garch\n{line}", line) == f"{COIN}.{fault}"
    )


def test_stablecoin__within_the_rules__is_taken(tmp_path) -> None:
    line = "  model: garch\n  stablecoin: {day: 365, low: 0.05, lasting_loss: 0.95, hazard: 0.1}"
    loaded = load_scenario(written(tmp_path, changed("  model: garch", line)))
    assert loaded.scenario.market.stablecoin.recovers_days == 3.0


def test_stablecoin__asked_for_without_it__says_where_it_would_be(tmp_path) -> None:
    fragment = "{measure: drawdown, unit: ounces, at_most: 0.05}"
    series = "{series: price.usdc, measure: lowest, at_least: 0.99}"
    assert one_fault(tmp_path, fragment, series) == (
        "claims.gold-vault-8-12.conditions[1].series is 'price.usdc'; usdc is no asset of this "
        "market: gold, silver, copper; usdc has a price where market.stablecoin lets it fall"
    )


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"day": 60, "low": 0.87}, "falls to 0.87 dollars on day 60 of every path; 3 days later"),
        ({"hazard": 0.1, "low": 0.5, "lasting_loss": 0.25}, "by chance, 0.1 times a year; 3 days"),
        ({"hazard": 0, "low": 0.5}, "never, its hazard being 0"),
    ],
)
def test_stablecoin__is_told_in_a_sentence(terms, words) -> None:
    assert words in StablecoinTerms(**terms).note()
