"""The page: whole, the same every time, without network, and safe against its inputs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import samples

from simulator.claims import Outcomes, judge_events
from simulator.engine import simulate
from simulator.report import charts, render_html
from simulator.report.sections.outcomes import _growth_words
from simulator.report.sentences import sentences
from simulator.scenario.files import assumptions, load_scenario

VOID = {"meta", "link", "br", "wbr", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects tags, texts outside of scripts, and the cells of tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.fetched, self.saved = [], [], [], [], []
        self.text, self.rows, self.scripts = "", [], 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if tag == "a" and "download" not in found else []
        self.saved += [found["href"]] if "download" in found else []
        self.fetched += [found[key] for key in ("src", "srcset", "data") if key in found]
        self.fetched += [found["href"]] if tag in ("link", "base") else []
        self.scripts += tag == "script"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def without_library(page: str) -> str:
    return page.replace(charts.library(), "")


@pytest.fixture(scope="module")
def sample():
    run = samples.loaded()
    found = samples.simulation(run)
    return run, found, samples.verdicts(run, found), [samples.replay(), samples.replay("events", 9)]


@pytest.fixture(scope="module")
def html(sample):
    return render_html(*sample)


@pytest.fixture(scope="module")
def page(html):
    return Page(without_library(html))


def test_page__rendered_twice__has_the_same_bytes(sample, html):
    assert render_html(*sample).encode() == html.encode()


def test_page__wall_clock_differs__has_the_same_bytes(sample, html):
    run, found, judged, replays = sample
    slower = [replace(each, seconds=99.0) for each in replays]
    assert render_html(run, replace(found, seconds=99.0), judged, slower) == html


def test_page__tags__are_balanced(page):
    assert page.open == []


def test_page__library__stands_in_it_once(html):
    assert html.count(charts.library()) == 1


def test_page__nothing__is_fetched(page, html):
    assert page.fetched == ["data:,"]
    rest = without_library(html)
    assert "@import" not in rest
    assert "url(" not in rest
    assert re.findall(r"https?://\S+", rest) == []


def test_page__ids__are_unique_and_links_resolve(page):
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_page__every_claim__stands_with_verdict_and_probability(sample, page):
    for verdict in sample[2]:
        assert verdict.claim in page.text
        assert verdict.text in page.text
        assert verdict.verdict in page.text
        for condition in verdict.conditions:
            words = condition.text.replace(" usd", " dollars").replace(" %", "\u00a0%")
            assert any(row[0] == words for row in page.rows)


def test_page__every_source_and_kind__is_named(sample, page):
    for source in sample[1].investors["holder"].sources:
        assert source.label in page.text
        assert any(row[0] == source.kind for row in page.rows)


def _percent(cell: str) -> float:
    return float(cell.replace("−", "-"))


def test_page__sources__add_up_to_kinds_and_net(page):
    kinds = ("organic", "subsidised", "market", "loss", "cost")
    by_head = {row[0]: row for row in page.rows if len(row) == 5}
    for column in (1, 3):
        total = sum(_percent(by_head[kind][column]) for kind in kinds)
        assert total == pytest.approx(_percent(by_head["Net: what the holder keeps"][column]))
    # 1 + 3 - 0.5 - 8 in ounces; and one more in dollars, by gold
    assert by_head["Net: what the holder keeps"][1] == "−4.50"
    assert by_head["Net: what the holder keeps"][3] == "−3.50"
    assert by_head["Gross: before losses and costs"][1] == "4.00"


def test_page__every_input__is_listed_with_its_mark(sample, page):
    listed = assumptions(sample[0].scenario, sample[0].provenance)
    for item in listed:
        name = item.field.rpartition(".")[2]
        assert any(row[0] == name and item.mark in row for row in page.rows), item.field


def test_page__calibration__stands_with_error_unit_and_window(sample, page):
    gold = sample[0].calibration.assets["gold"].volatility
    row = next(row for row in page.rows if row[0] == "volatility")
    assert row[1:5] == [
        f"{gold.value:g}",
        f"{gold.standard_error:g}",
        gold.unit,
        f"{gold.window[0]} to {gold.window[1]}",
    ]


def test_page__replays__show_error_tolerance_and_gas(page):
    rows = {tuple(row) for row in page.rows}
    assert ("gold vault: share price", "1.0e−13", "1.0e−12", "1", "agrees") in rows
    # the sample was played in process: its gas is a lower bound, also in dollars
    least = "at\u00a0least\u00a0"
    assert ("gold vault: enter", f"{least}200,000", f"{least}200,000") in rows
    # 200,000 gas at 1 gwei and 3,120 dollars an ether
    assert ("in dollars", f"{least}0.62", f"{least}0.62") in rows
    assert "its gas is a lower bound" in page.text


def test_page__replay_on_a_node__shows_gas_as_it_is(sample):
    on_node = [samples.replay(exact=True)]
    found = Page(without_library(render_html(*sample[:3], on_node)))
    assert ["gold vault: enter", "200,000"] in [list(row) for row in found.rows]
    assert "lower bound" not in found.text


def test_page__replay_that_differs__is_named(sample):
    run, found, judged, _ = sample
    text = Page(without_library(render_html(run, found, judged, [samples.replay(ok=False)]))).text
    assert "differs" in text
    assert "agrees" not in text


def test_page__no_replay__says_that_contracts_had_no_part(sample):
    text = Page(without_library(render_html(*sample[:3], []))).text
    assert "not replayed on a chain" in text


def test_page__hostile_title_and_claim__stay_text():
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    run = samples.loaded(f"title={attack}", f"claims.gold-vault-8-12.says={attack}")
    found = samples.simulation(run)
    judged = samples.verdicts(run, found)
    shown = without_library(render_html(run, found, judged, []))
    safe_run = samples.loaded()
    safe = without_library(render_html(safe_run, found, judged, []))
    assert "<script>alert" not in shown
    assert "<img" not in shown
    assert shown.count("&lt;script&gt;alert(1)") >= 3
    assert Page(shown).scripts == Page(safe).scripts


def test_page__hostile_source_note__stays_text():
    note = "</td><script>x"
    run = samples.loaded()
    provenance = dict(run.provenance)
    field = "instruments.gold_token.sale_spread_bps"
    provenance[field] = replace(provenance[field], source=note)
    hostile = replace(run, provenance=provenance)
    found = samples.simulation(run)
    shown = render_html(hostile, found, samples.verdicts(run, found), [])
    assert "</td><script>x" not in shown
    assert "&lt;/td&gt;&lt;script&gt;x" in shown


def test_page__parameter_range__is_shown_or_said_to_be_missing(sample, page):
    assert "range over parameter sets is not part of this run" in page.text
    run, found, judged, _ = sample
    assert "What the assumptions leave open is not part of this run" in page.text
    both = {"parameter_range": (0.2, 0.6), "assumption_range": (0.1, 0.7)}
    ranged = tuple(samples.with_verdict((v,), **both)[0] for v in judged)
    text = Page(without_library(render_html(run, found, ranged, []))).text
    assert "not part of this run" not in text
    assert "20.0 to 60.0\u00a0%" in text
    assert "What the scenario assumes leaves 10.0 to 70.0\u00a0%" in text


def test_page__target_met_at_start__says_so_only_then(sample, page):
    run, found, judged, _ = sample
    early = samples.with_verdict(judged, verdict="already met", met_at_start=True)
    assert "met on the first day" not in page.text
    assert "met on the first day" in Page(without_library(render_html(run, found, early, []))).text


def test_page__credit_triangle__is_promised_less_organic_over_the_loss(page):
    # (8 % - 1 %) / 0.8 = 8.75 %
    assert "hazard of 8.8\u00a0% a year" in page.text.replace("\u00a0a year", " a year")


def test_page__hypothetical_notice__has_criteria_assumptions_risks_and_gross_beside_net(page):
    for words in ("Criteria.", "Assumptions.", "Risks and limits.", "Gross, mean", "Net, mean"):
        assert words in page.text


def test_sentences__of_a_claim_nobody_keeps__say_none_and_the_spread(sample):
    _, found, judged, _ = sample
    # No path earns 8 % in ounces; 3.5 % on all but every tenth, which loses 76.5 %.
    words = "".join(sentences(found, judged[0])).replace("\u00a0", " ")
    assert words == (
        "Of 200 simulated years, none kept every part of the promise (0 %). The middle year "
        "gained 3.5 % in ounces; one year in twenty lost more than 76.5 %, one in twenty gained "
        "more than 3.5 %."
    )


def test_sentences__of_an_untestable_claim__give_the_reason_alone(sample):
    _, found, judged, _ = sample
    untestable = samples.with_verdict(judged, verdict="not testable", reason="too short")
    assert sentences(found, untestable[0]) == ("This claim cannot be tested here: too short.",)


def test_page__measure_that_paths_lack__is_not_testable_rather_than_0():
    run = samples.loaded("horizon_days=45")
    found = samples.simulation(run)
    values = dict(found.investors["holder"].values)
    values["yield_deviation", "ounces"] = np.full(samples.N_PATHS, np.nan)
    holder = replace(found.investors["holder"], values=values)
    found = replace(found, outcomes=Outcomes({**found.investors, "holder": holder}))
    rows = Page(without_library(render_html(run, found, samples.verdicts(run, found), []))).rows
    row = next(row for row in rows if row[0].startswith("deviation of 30-day"))
    assert row[1:] == ["not testable", ""]


def test_page__of_a_real_run__is_whole_and_repeats():
    run = load_scenario("gold-vault-sober", overrides=["paths=256"])
    pages = []
    for _ in range(2):
        found = simulate(run.scenario, run.calibration)
        judged = judge_events(run.scenario.claims, found.outcomes)
        pages.append(render_html(run, found, judged, []))
    assert pages[0] == pages[1]
    read = Page(without_library(pages[0]))
    for investor in found.investors.values():
        for source in investor.sources:
            assert investor.name != "holder" or source.label in read.text
    assert found.checksum in read.text


def test_page__of_claims_on_ratios_and_risks__tells_each_in_its_own_scale():
    claims = (
        "claims={steady: {says: x, subject: holder, conditions: [{measure: sortino, unit: usd, "
        "at_least: 1, reported_above: 2}, {measure: volatility, unit: usd, at_most: 0.3}]}}",
        "paths=256",
    )
    run = load_scenario("gold-vault-sober", overrides=claims)
    found = simulate(run.scenario, run.calibration)
    page = render_html(run, found, judge_events(run.scenario.claims, found.outcomes), [])
    text = Page(without_library(page)).text
    assert re.search(r"In the middle year the Sortino ratio in dollars was −?\d\.\d+;", text)
    assert "Sortino ratio in dollars at least 1" in text
    assert "Paths above 2" in text
    assert "volatility a year in dollars at most 30\xa0%" in text
    assert 'id="distribution-holder-volatility-usd"' in page


def test_investors__in_one_table__show_what_claims_name_beside_the_rest():
    saver = (
        "investors.saver={capital_usd: 1_000, weights: {metal: 0.5, cash: 0.5}, "
        "flows: [{usd: 500, first_day: 100}]}"
    )
    claims = (
        "{own: {says: x, subject: saver, conditions: [{measure: sortino, unit: usd, at_least: 1}]}}"
    )
    run = load_scenario(
        "gold-vault-sober",
        overrides=(
            "instruments.metal={kind: holding, what: gold_etf}",
            saver,
            f"claims={claims}",
            "paths=256",
        ),
    )
    found = simulate(run.scenario, run.calibration)
    page = Page(
        without_library(
            render_html(run, found, judge_events(run.scenario.claims, found.outcomes), [])
        )
    )
    (head,) = [row for row in page.rows if row[:2] == ["Investor", "mean return"]]
    assert head[5:] == ["money-weighted", "Sortino"]
    rows = {row[0]: row[1:] for row in page.rows if len(row) == len(head)}
    values = found.investors["saver"].values
    for place, key in ((1, "total_return"), (4, "money_weighted_return")):
        median = 100 * float(np.median(values[key, "usd"]))
        assert float(rows["saver"][place].split()[0].replace("\u2212", "-")) == pytest.approx(
            median, abs=0.06
        )
    worst = np.sort(values["total_return", "usd"])[: 256 // 20].mean()
    assert float(rows["saver"][2].split()[0].replace("\u2212", "-")) == pytest.approx(
        100 * worst, abs=0.5
    )
    # Nobody asked for the others' ratio, and no claim compares the two.
    assert rows["holder"][4:] == ["", ""]
    assert "outline" not in page.text


def test_distribution__of_investors_that_a_claim_compares__outlines_the_other(sample):
    run, found, judged, _ = sample
    scenario = found.scenario
    (claim, subject), *_ = ((c, v.subject) for c, v in scenario.claims.items() if v.subject)
    other = next(name for name in scenario.investors if name != subject)
    against = scenario.claims[claim].model_copy(update={"against": other})
    asked = scenario.model_copy(update={"claims": {claim: against}})
    page = Page(without_library(render_html(run, replace(found, scenario=asked), judged[:1], [])))
    assert page.text.count(f"Grey outline: {other}.") >= 1


@pytest.mark.parametrize(
    ("changes", "behind"),
    [
        ({}, "; what channels and views add come on top of it."),
        ({"model": "gbm"}, "."),
        ({"model": "gbm", "shocks": True}, "; shocks come on top of it."),
        ({"shocks": True}, "; what channels and views add and shocks come on top of it."),
    ],
)
def test_growth__is_told_with_what_comes_on_top_of_the_drift(changes, behind):
    assert growth(**changes) == f"Drift 3.5\xa0% a year, an input of the scenario{behind}"


def test_growth__of_a_history__is_the_histories():
    assert growth(model="history") == "As the history has it, on every path."


def growth(model: str = "macro", *, shocks: bool = False) -> str:
    scenario = SimpleNamespace(market=SimpleNamespace(model=model), shocks=[1] if shocks else [])
    return _growth_words(SimpleNamespace(scenario=scenario), 0.035)


def test_moves__of_a_claim_that_follows_the_drift__show_it(sample):
    run, found, judged, _ = sample
    drift = np.linspace(-0.05, 0.12, 18)
    rows = [
        {
            "set": number,
            "claim": claim,
            "probability": probability,
            "estimate": math.nan,
            "drift.gold": value,
            "drift.silver": 0.035,
        }
        for number, value in enumerate(drift)
        for claim, probability in (("gold-vault-8-12", 0.0), ("gold-vault-8-12-usd", 0.4 + value))
    ]
    page = Page(without_library(render_html(run, found, judged, [], pd.DataFrame(rows))))
    assert "Moves with the drift of gold: correlation 1.00" in page.text
    assert "moves-gold-vault-8-12-usd" in render_html(run, found, judged, [], pd.DataFrame(rows))
    assert "What moved them most" in page.text
    # 18 sets and one figure that varies: 1.96 over the root of 17.
    assert "still reaches 0.48 one time in twenty" in page.text
    # A claim that no set moves has no chart.
    assert 'id="moves-gold-vault-8-12"' not in render_html(
        run, found, judged, [], pd.DataFrame(rows)
    )
    assert "drew no parameter sets" in Page(without_library(render_html(*sample[:3], []))).text


def test_instruments__by_themselves__show_kinds_and_the_worst_paths(sample):
    rows = Page(without_library(render_html(*sample[:3], []))).rows
    vault = next(row for row in rows if row[0] == "gold vault")
    # Mean parts of the sample: interest 1 %, emissions 3 %, gold 1 %, exploits -8 %, fees -0.5 %.
    assert vault[1:8] == ["+1.00", "+3.00", "", "+1.00", "−8.00", "−0.50", "−3.50"]
    # One path in ten loses 80 %: the worst twentieth are among them, all on even paths (+12 %).
    assert vault[8].replace("\u00a0", " ") == "−64.5 %"
