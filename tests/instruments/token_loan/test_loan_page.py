"""What the report says of loans: how often each was closed, by whose price, at what loss."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine import simulate
from simulator.instruments.token_loan import page
from simulator.report.blocks import section_markup
from simulator.report.rooms import sections, told
from simulator.scenario import load_scenario
from simulator.words import percent


@pytest.fixture(scope="module")
def loans():
    ready = load_scenario("gold-loop", overrides=["paths=128", "horizon_days=120"])
    return simulate(ready.scenario, ready.calibration, workers=1)


def test_rows__are_the_shares_and_means_of_each_loan(loans) -> None:
    section = page.PAGE.section(told(loans, "gold_loan_exchange"))
    rows = {row[0]: row[1:] for row in section.blocks[1].rows}
    held = loans.instruments["gold_loan_exchange-ltv_70"]
    closed, alone, _, penalty, median, _ = rows["ltv_70"]
    assert closed == percent(float(held.happened["liquidated"].mean()))
    assert alone == percent(float(held.happened["by_feed_alone"].mean()))
    names = [source.name for source in held.sources]
    lost = held.attribution["usd"][names.index("penalty")] / held.initial["usd"]
    assert penalty == percent(float(lost.mean()))
    assert median == percent(float(np.median(held.values["total_return", "usd"])))


def test_rows__of_dollars_that_are_lent_on__say_at_what(loans) -> None:
    section = page.PAGE.section(told(loans, "silver_loan"))
    assert [row[0] for row in section.blocks[1].rows][-2:] == [
        "bills_50, at 3.6\u00a0%",
        "promised_50, at 10\u00a0%",
    ]


def test_intro__says_what_the_market_reads(loans) -> None:
    reference, exchange = (
        page.intro(told(loans, label).terms) for label in ("gold_loan", "gold_loan_exchange")
    )
    assert "stands still while metals do not trade" in reference
    assert "one exchange's own trades" in exchange
    assert "days late" not in reference
    late = load_scenario("gold-loop", overrides=["instruments.gold_loan.keeper_late_days=2"])
    assert "closed, 2 days late:" in page.intro(late.scenario.instruments["gold_loan"])


def test_lenders__yield_is_the_median(loans) -> None:
    held = loans.instruments["gold_loan-suppliers"]
    middle = percent(float(np.median(held.values["total_return", "usd"])))
    assert f"earns {middle} over the run" in page.lenders(told(loans, "gold_loan"))


def test_sections__one_for_each_label__with_table_and_fans(loans) -> None:
    found = dict(sections(loans))
    assert list(found) == [name for name in loans.scenario.instruments if "loan" in name]
    html = section_markup("loans", found["gold_loan"], loans.daily)
    for words in ("What was borrowed", "Dollars lent over dollars supplied", "Borrow rate a year"):
        assert words in html
