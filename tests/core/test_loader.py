"""Each fault of an input file stands at its line, with field, value, rule and remedy."""

import datetime as dt

import pytest
from scenario_text import SOBER, changed, line_of, one_fault, refused, written

from simulator.errors import InputError, Problem
from simulator.scenario import load_scenario
from simulator.scenario.loader import MARKS, Provenance, dotted, read_yaml

IDLE = "idle_share: 0.05"
FEE = "performance_fee_bps: 1_000"
FLOW = "(Standard deviation of the crowd's net daily flow over its deposits)"
FIGURE = "flow_deviation: {value: 0.005, mark: assumption}"


def test_load__shipped_scenario__is_accepted_as_it_stands(tmp_path):
    assert load_scenario(written(tmp_path, SOBER)).scenario.name == "gold-vault-sober"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            FEE,
            "performance_fee_bps: 12_000",
            "instruments.gold_vault.performance_fee_bps is 12000; must be 0 to 5000 "
            "(10000 = 100 %)",
        ),
        (
            IDLE,
            "idle_share: 1.5",
            "instruments.gold_vault.idle_share is 1.5; must be 0 to 1 (1 = 100 %)",
        ),
        (
            IDLE,
            "idle_share: -0.1",
            "instruments.gold_vault.idle_share is -0.1; must be 0 to 1 (1 = 100 %)",
        ),
        (
            "pool_pace: {value: 0.02",
            "pool_pace: {value: 1.02",
            "instruments.gold_vault.pool_pace is 1.02; must be above 0 and below 1 (1 = 100 %)",
        ),
        # The term of old says what to write instead.
        (
            "pool_pace: {value: 0.02, mark: assumption,",
            "pool_fee_yield: {value: 0.001, mark: assumption,",
            "instruments.gold_vault.pool_fee_yield: is a term no more: a pool earns what is traded "
            "there. Name a gold_pool by its label as pool, or leave pool_share out",
        ),
        # Eight percent written as 8.
        (
            "slope1: 0.04",
            "slope1: 8",
            "instruments.gold_vault.lending.slope1 is 8; must be 0 to 5 (1 = 100 % a year)",
        ),
        (
            "kink: 0.80",
            "kink: 80",
            "instruments.gold_vault.lending.kink is 80; must be above 0 and below 1 (1 = 100 %)",
        ),
        (
            "horizon_days: 365",
            "horizon_days: 0",
            "horizon_days is 0; must be 30 to 3660 (Steps of one calendar day)",
        ),
        (
            "paths: 10_000",
            "paths: 0",
            "paths is 0; must be 1 to 10000000 (Number of simulated paths)",
        ),
        (
            "seed: 20260120",
            "seed: -1",
            "seed is -1; "
            "must be at least 0 and below 9223372036854775808 (Key of every random draw)",
        ),
        (
            "  token_only: {holding: gold_token, ounces: 100}",
            "  token_only: {holding: gold_token, ounces: 0}",
            "investors.token_only.ounces is 0; "
            "must be above 0 (Ounces of metal token put in at the start; tokens and the vault "
            "alone are held so)",
        ),
    ],
)
def test_load__number_out_of_bounds__names_bounds_and_unit(tmp_path, old, new, fault):
    assert one_fault(tmp_path, old, new) == fault


@pytest.mark.parametrize(
    ("written_as", "value", "rule"),
    [
        ('"0.05"', "'0.05'", "a number, 0 to 1 (1 = 100 %); write it without quotes"),
        ("8 %", "'8 %'", "a number, 0 to 1 (1 = 100 %); 8 % is written 0.08"),
        ("8%", "'8%'", "a number, 0 to 1 (1 = 100 %); 8% is written 0.08"),
        ("0,05", "'0,05'", "a number, 0 to 1 (1 = 100 %)"),
        ("half", "'half'", "a number, 0 to 1 (1 = 100 %)"),
        ("yes", "'yes'", "a number, 0 to 1 (1 = 100 %)"),
        ("true", "true", "a number, 0 to 1 (1 = 100 %)"),
        ("false", "false", "a number, 0 to 1 (1 = 100 %)"),
        (".nan", ".nan", "a finite number, 0 to 1 (1 = 100 %)"),
        (".inf", ".inf", "a finite number, 0 to 1 (1 = 100 %)"),
        ("-.inf", "-.inf", "a finite number, 0 to 1 (1 = 100 %)"),
        ("NaN", "'NaN'", "a number, 0 to 1 (1 = 100 %)"),
        ("", "empty", "a number, 0 to 1 (1 = 100 %)"),
        ("~", "empty", "a number, 0 to 1 (1 = 100 %)"),
        ("[0.05]", "a list", "a number, 0 to 1 (1 = 100 %)"),
        ("{a: 0.05}", "a mapping", "a number, 0 to 1 (1 = 100 %)"),
        ("2026-01-20", "2026-01-20", "a number, 0 to 1 (1 = 100 %)"),
        ("!!int x", "'x'", "a number, 0 to 1 (1 = 100 %)"),
    ],
)
def test_load__no_number__says_what_stands_there_and_how_it_is_written(
    tmp_path, written_as, value, rule
):
    fault = one_fault(tmp_path, IDLE, f"idle_share: {written_as}", fragment="idle_share:")
    assert fault == f"instruments.gold_vault.idle_share is {value}; must be {rule}"


def test_load__percent_in_a_field_of_basis_points__is_converted_to_them(tmp_path):
    fault = one_fault(tmp_path, FEE, "performance_fee_bps: 8 %")
    assert fault.endswith("must be a number, 0 to 5000 (10000 = 100 %); 8 % is written 800")


@pytest.mark.parametrize("written_as", ["10_000.5", '"10000"', "true", ".nan", "ten", "1:30"])
def test_load__no_whole_number__is_refused(tmp_path, written_as):
    fault = one_fault(tmp_path, "paths: 10_000", f"paths: {written_as}")
    assert "must be a whole number, 1 to 10000000" in fault


@pytest.mark.parametrize("written_as", ["10000", "10_000", "1e4", "10000.0", "0x2710", "+10000"])
def test_load__whole_number_however_written__is_accepted(tmp_path, written_as):
    text = changed("paths: 10_000", f"paths: {written_as}")
    paths = load_scenario(written(tmp_path, text)).scenario.paths
    assert paths == 10_000
    assert type(paths) is int


@pytest.mark.parametrize(
    ("written_as", "value"),
    [
        ("2026-13-20", "'2026-13-20'"),
        ("2026-02-30", "'2026-02-30'"),
        ("20260120", "20260120"),
        ("20.1.2026", "'20.1.2026'"),
        ("2026-01-20T10:00:00", "2026-01-20 10:00:00"),
        ("tomorrow", "'tomorrow'"),
        ("", "empty"),
    ],
)
def test_load__no_date__is_refused(tmp_path, written_as, value):
    fault = one_fault(tmp_path, "start: 2026-01-20", f"start: {written_as}", fragment="start:")
    assert fault.startswith(f"start is {value}; must be a date, as in 2026-01-20")


@pytest.mark.parametrize("written_as", ["1500-01-01", "2999-12-31"])
def test_load__date_beyond_the_calendar__names_its_bounds(tmp_path, written_as):
    fault = one_fault(tmp_path, "start: 2026-01-20", f"start: {written_as}")
    assert fault.startswith(f"start is {written_as}; must be 1971-01-01 to 2200-01-01")


def test_load__date_in_quotes__is_a_date(tmp_path):
    text = changed("start: 2026-01-20", 'start: "2026-01-20"')
    assert load_scenario(written(tmp_path, text)).scenario.start == dt.date(2026, 1, 20)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            IDLE,
            "idle_shaer: 0.05",
            "instruments.gold_vault.idle_shaer is 0.05; unknown key; did you mean 'idle_share'?",
        ),
        ("paths: 10_000", "path: 10_000", "path is 10000; unknown key; did you mean 'paths'?"),
        (
            "  token_only: {holding: gold_token, ounces: 100}",
            "  token_only: {holding: gold_token, ounces: 100, weight: 2}",
            "investors.token_only.weight is 2; unknown key; did you mean 'weights'?",
        ),
        (
            "at_most: 0.05}",
            "at_most: 0.05, at_mots: 1}",
            "claims.gold-vault-8-12.conditions[1].at_mots is 1; "
            "unknown key; did you mean 'at_most'?",
        ),
        (
            "lending:\n",
            "lending:\n      limits: {a: 1}\n",
            "instruments.gold_vault.lending.limits: unknown key; known keys: base_rate, slope1, "
            "slope2, kink, reserve_factor, max_ltv, liquidation_threshold, liquidation_bonus",
        ),
    ],
)
def test_load__unknown_key__suggests_the_nearest(tmp_path, old, new, fault):
    fragment = new.splitlines()[-1].strip()
    assert one_fault(tmp_path, old, new, fragment=fragment) == fault


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "measure: drawdown",
            "measure: drawdwn",
            "claims.gold-vault-8-12.conditions[1].measure is 'drawdwn'; must be one of "
            "'annual_yield', 'total_return', 'money_weighted_return', 'drawdown', 'ulcer', "
            "'volatility', 'expected_shortfall', 'sortino', 'calmar', 'yield_deviation', "
            "'highest', 'lowest', 'last' or 'mean'; did you mean 'drawdown'? "
            "(What is measured on each path)",
        ),
        (
            "    silver:",
            "    iron:",
            "market.assets.iron: the key must be one of 'gold', 'silver', 'copper', 'bitcoin', "
            "'altcoins', 'big_tech', 'small_caps', 'gold_miners', 'copper_miners' or "
            "'treasury_bills'",
        ),
        (
            "  token_only: {",
            "  Token Only: {",
            "investors.Token Only: the key must be lower-case letters, digits, _ and -",
        ),
        (
            "title: Gold tokens",
            "title: 5 #",
            "title is 5; must be text, in quotes (One line for the report's head)",
        ),
    ],
)
def test_load__word_that_is_no_choice__names_the_choices(tmp_path, old, new, fault):
    assert one_fault(tmp_path, old, new) == fault


def test_load__missing_key__stands_at_its_section(tmp_path):
    old = "      drift: {value: 0.035, mark: assumption, note: \"gold's real"
    text = changed(old, old.replace("drift", "price"))
    assert refused(tmp_path, text) == [
        f"own.yaml:{line_of(text, '    gold:')}: market.assets.gold.drift: is required "
        "(Expected growth a year, ln E[S_T/S_0]/T; 0.035 = 3.5 %)"
    ]


def test_load__missing_top_level_key__stands_at_the_first_line(tmp_path):
    text = changed("title: Gold tokens in a lending vault, on what was observed\n", "")
    assert refused(tmp_path, text) == [
        "own.yaml:1: title: is required (One line for the report's head)"
    ]


@pytest.mark.parametrize(
    ("new", "fragment", "fault"),
    [
        (
            "flow_deviation: {value: -1, source: a table, mark: observed}",
            None,
            "is -1; must be at least 0 " + FLOW,
        ),
        (
            "flow_deviation:\n      source: a table\n      mark: observed\n      value: -17",
            "value: -17",
            "is -17; must be at least 0 " + FLOW,
        ),
        (
            "flow_deviation: {value: 0.005, marc: claimed}",
            None,
            ".marc: unknown key; did you mean 'mark'?",
        ),
        (
            "flow_deviation: {value: 0.005, unit: ounces}",
            None,
            ".unit: unknown key; a figure has value, source, mark, date, note, range",
        ),
        (
            "flow_deviation: {value: 0.005, mark: guess}",
            None,
            ".mark is 'guess'; must be one of observed, secondary, claimed, assumption",
        ),
        (
            "flow_deviation: {value: 0.005, mark: Observed, source: a table}",
            None,
            ".mark is 'Observed'; must be one of observed, secondary, claimed, assumption; "
            "did you mean 'observed'?",
        ),
        (
            "flow_deviation: {value: 0.005, mark: secondary}",
            None,
            ".source: is required, because the figure is marked secondary",
        ),
        (
            "flow_deviation: {source: a table, mark: observed}",
            None,
            ": needs a value beside its source and mark",
        ),
        (
            "flow_deviation: {value: 0.005, source: [a, b]}",
            None,
            ".source: must be text",
        ),
        (
            "flow_deviation: {value: {value: 0.005}}",
            None,
            "is a mapping; must be a number at least 0 " + FLOW,
        ),
        (
            "flow_deviation: {value: '0.005', mark: assumption}",
            None,
            f"is '0.005'; must be a number at least 0 {FLOW}; write it without quotes",
        ),
    ],
)
def test_load__faulty_figure__is_refused_at_its_line(tmp_path, new, fragment, fault):
    found = one_fault(tmp_path, FIGURE, new, fragment)
    joint = "" if fault[0] in ".:" else " "
    assert found == f"instruments.gold_vault.flow_deviation{joint}{fault}"


@pytest.mark.parametrize("mark", MARKS)
def test_load__each_mark__is_kept_with_source_date_and_note(tmp_path, mark):
    text = changed(
        FIGURE, f"flow_deviation: {{value: 1, source: a, mark: {mark}, date: 2026-01-02, note: n}}"
    )
    loaded = load_scenario(written(tmp_path, text))
    assert loaded.scenario.instruments["gold_vault"].flow_deviation == 1.0
    origin = loaded.provenance["instruments.gold_vault.flow_deviation"]
    assert origin == Provenance(source="a", mark=mark, date="2026-01-02", note="n")


@pytest.mark.parametrize(
    ("figure", "mark"),
    [
        ("{value: 1}", "assumption"),
        ("{value: 1, source: a}", "observed"),
        ("{value: 1, source: }", "assumption"),
    ],
)
def test_load__figure_without_mark__is_observed_only_with_a_source(tmp_path, figure, mark):
    loaded = load_scenario(written(tmp_path, changed(FIGURE, f"flow_deviation: {figure}")))
    assert loaded.provenance["instruments.gold_vault.flow_deviation"].mark == mark


def test_load__list_written_as_a_figure__faults_at_the_item(tmp_path):
    ladder = (
        "borrowers:\n      ltv_ladder:\n        source: a table\n        value:\n          - 0.1\n"
        "          - 1.7\n          - x\n" + "          - 0.5\n" * 5
    )
    text = changed("borrowers:\n", ladder)
    where = "instruments.gold_vault.borrowers.ltv_ladder"
    line = line_of(text, "- 1.7")
    assert refused(tmp_path, text) == [
        f"own.yaml:{line}: {where}[1] is 1.7; must be above 0 and below 1 (1 = 100 %)",
        f"own.yaml:{line + 1}: {where}[2] is 'x'; must be a number above 0 and below 1 (1 = 100 %)",
    ]


def test_load__list_too_short__is_one_fault(tmp_path):
    new = "borrowers:\n      ltv_ladder: [0.1, 1.2]\n"
    found = refused(tmp_path, changed("borrowers:\n", new))
    assert len(found) == 2
    assert found[0].endswith(
        "must have at least 8 entries (Loan to value at which each cohort of borrowers opens)"
    )
    assert "ltv_ladder[1] is 1.2" in found[1]


def test_load__faults_in_several_sections__are_all_listed_in_the_order_of_lines(tmp_path):
    text = SOBER
    for old, new in (
        ("horizon_days: 365", "horizon_days: 0"),
        ("model: garch", "model: garhc"),
        ("run_share: {value: 0.2, mark: assumption", "run_share: {value: 20, mark: guess"),
        (IDLE, "idle_share: '0.05'"),
        (FEE, "performance_fee_bps: 12_000"),
        ("reserve_factor: 0.10", "reserve_facter: 0.10"),
        ("price_gwei: {value: 1.0", "price_gwei: {value: -1.0"),
        ("measure: drawdown", "measure: depth"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    found = refused(tmp_path, text)
    numbers = [int(message.split(":")[1]) for message in found]
    fields = [message.split(": ")[1].split(" ")[0] for message in found]
    assert numbers == sorted(numbers)
    assert fields == [
        "horizon_days",
        "market.model",
        "instruments.gold_vault.run_share",
        "instruments.gold_vault.run_share.mark",
        "instruments.gold_vault.idle_share",
        "instruments.gold_vault.performance_fee_bps",
        "instruments.gold_vault.lending.reserve_facter",
        "gas.price_gwei",
        "claims.gold-vault-8-12.conditions[1].measure",
    ]


def test_load__long_text_in_a_message__is_cut(tmp_path):
    fault = one_fault(tmp_path, IDLE, "idle_share: " + "x" * 500)
    assert f"is '{'x' * 60}...'; must be a number" in fault


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            ("a.yaml", 14, "fee_bps", "12000", "must be less"),
            "a.yaml:14: fee_bps is 12000; must be less",
        ),
        (("a.yaml", 14, "fee_bps", "", "is required"), "a.yaml:14: fee_bps: is required"),
        (("a.yaml", None, "fee_bps", "1", "must be less"), "a.yaml: fee_bps is 1; must be less"),
        (("a.yaml", 3, "", "", "is empty"), "a.yaml:3: is empty"),
        (("a.yaml", None, "", "", "no such file"), "a.yaml: no such file"),
    ],
)
def test_problem__reads_as_a_compiler_would_print_it(problem, text):
    assert str(Problem(*problem)) == text


def test_dotted__location__reads_as_users_write_it():
    assert (
        dotted(("claims", "a-b", "conditions", 1, "at_most")) == "claims.a-b.conditions[1].at_most"
    )
    assert dotted(()) == ""


MANY = """\
name: own
title: own
horizon_days: 365
paths: 256
use:
  parts: {instruments: [gold_vault, smal_sto, bills]}
shocks:
  - {name: a, target: price.gold, day: 20, size: -1.2}
  - {name: b, target: usdc, day: 400, at: 0.9}
  - {name: c, target: gold_vault.exploit, day: 30, size: 1.5}
  - {name: d, target: gold_vault.explot, day: 30, size: 0.5}
investors:
  me: {capital_usd: -1, weights: {bills: 1}}
  other: {capital_usd: 1, weights: {bills: 0.8, small_sto: 0.2}}
claims:
  one: {says: gains, subject: you, conditions: [{measure: total_return, unit: usd, at_least: 0}]}
  two:
    says: gains
    subject: me
    conditions:
      - {measure: total_return, unit: usd, at_least: 0}
      - {measure: drawdwn, unit: usd, at_most: 0.1}
"""


def test_faults__of_fields_sections_and_what_joins_them__are_told_all_at_once(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(MANY)
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    found = [(problem.line, problem.field) for problem in caught.value.problems]
    assert found == [
        (6, "use.parts.instruments[1]"),
        (8, "shocks[0].size"),
        (9, "shocks[1].day"),
        (10, "shocks[2].size"),
        (11, "shocks[3].target"),
        (13, "investors.me.capital_usd"),
        (14, "investors.other.weights.small_sto"),
        (16, "claims.one.subject"),
        (22, "claims.two.conditions[1].measure"),
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        # whatever days the shocks name lie in no horizon then
        ("horizon_days: 365", "horizon_days: -1"),
        # without a name the rest of a shock cannot be told from another's
        ("{name: a, target: price.gold, day: 20, size: -1.2}", "{target: price.gold, day: 20}"),
        ("{capital_usd: -1, ", "{capital_usd: [], "),
    ],
)
def test_fault__that_follows_from_another__is_not_told(tmp_path, wrong, right):
    path = tmp_path / "own.yaml"
    path.write_text(MANY.replace(wrong, right))
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    places = [problem.field for problem in caught.value.problems]
    assert not {"shocks[0]", "investors.me", "shocks[2].day"} & set(places)
    assert len(places) == len(set(places))


SMALL = """\
name: small
title: A token and who holds it
horizon_days: 60
paths: 16
market: {model: gbm, assets: {gold: {drift: 0.035}}}
instruments:
  gold_token: {preset: paxg}
investors:
  holder: {holding: gold_token, ounces: 10}
claims:
  kept:
    says: It keeps nine tenths
    subject: holder
    conditions: [{measure: total_return, unit: usd, at_least: -0.1}]
"""


@pytest.mark.parametrize(
    ("wrong", "right", "at"),
    [
        ("gold_token: {preset: paxg}", "gold_token: 3", "instruments.gold_token"),
        ("gold_token: {preset: paxg}", "gold_token:", "instruments.gold_token"),
        ("holder: {holding: gold_token, ounces: 10}", "holder: 5", "investors.holder"),
        ("holder: {holding: gold_token, ounces: 10}", "holder:", "investors.holder"),
    ],
)
def test_what_names_a_faulty_thing__is_no_fault_of_its_own(tmp_path, wrong, right, at):
    path = tmp_path / "own.yaml"
    path.write_text(SMALL.replace(wrong, right))
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert [problem.field for problem in caught.value.problems] == [at]


def test_read__nine_aliases_of_nine__are_refused_before_they_are_written_out(tmp_path):
    file = tmp_path / "own.yaml"
    lines = ["a0: &a0 [1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 13)]
    file.write_text("\n".join(lines))
    rule = "own.yaml: its aliases write out more than 1,000,000 values"
    with pytest.raises(InputError, match=rule):
        read_yaml(file)


def test_read__brackets_without_end__are_refused_before_they_are_parsed(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("a: " + "[" * 200_000)
    with pytest.raises(InputError, match=r"own\.yaml: is nested too deeply"):
        read_yaml(file)


def test_read__aliases_of_aliases__count_as_they_are_written_out(tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.scenario.reader.MOST_VALUES", 15)
    file = tmp_path / "own.yaml"
    # 15: the whole, three keys, a with 2, b with 1 + 3 + 3, c with one
    file.write_text("a: &a [1, 2]\nb: [*a, *a]\nc: 1\n")
    assert read_yaml(file).data == {"a": [1, 2], "b": [[1, 2], [1, 2]], "c": 1}
    file.write_text("a: &a [1, 2]\nb: [*a, *a]\nc: 1\nd: 1\n")
    with pytest.raises(InputError, match="write out more than 15 values"):
        read_yaml(file)
