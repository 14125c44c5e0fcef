"""The commands that ask further: breakeven, compare, sweep, sensitivity."""

import io
import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
import questions
from apart import KEEPS_APART
from click.testing import CliRunner
from rich.console import Console

from simulator.cli import main
from simulator.engine.compare import compare_runs, read_run
from simulator.engine.sources import load_source
from simulator.report.compare.terminal import print_comparison
from simulator.scenario import load_scenario
from simulator.scenario.files import to_yaml

CALM = tuple(part for override in questions.CALM for part in ("--set", override))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def token(folder):
    """Return the file of the token's scenario, in the working directory."""
    questions.token(folder, paths=512)
    return "token.yaml"


def assay(*arguments, code=0):
    """Return the outcome of a command that must exit with `code`."""
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def refused(code, *arguments):
    """Return the one line of a command that must fail and write nothing."""
    before = sorted(Path().rglob("*"))
    outcome = assay(*arguments, code=code)
    assert outcome.stdout == ""
    assert sorted(Path().rglob("*")) == before
    return outcome.stderr.strip().splitlines()[-1]


def strict_json(text):
    """Parse one JSON object; NaN and infinity are no JSON."""

    def refuse(name):
        raise AssertionError(f"{name} in the JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("command", ["breakeven", "compare", "report", "sensitivity", "sweep"])
def test_help__names_the_command(command):
    assert re.search(rf"^  {command} ", assay("--help").stdout, re.MULTILINE)
    assert assay(command, "--help").stdout.startswith("Usage:")


# breakeven ----------------------------------------------------------------------------------


def test_breakeven__of_a_price_drift__is_a_sentence_and_json(token):
    command = ("breakeven", token, "--claim", "rises", "--solve", "drift")
    found = strict_json(assay(*command, "--json").stdout)
    assert found["parameter"] == "market.assets.gold.drift"
    expected = math.log(1.1) + questions.VARIANCE / 2
    assert abs(found["value"] - expected) < 2 * found["standard_error"]
    outcome = assay(*command)
    sentence = outcome.stdout.strip().splitlines()[-1]
    assert sentence == (
        f"rises is as likely as not over 365 days at market.assets.gold.drift = "
        f"{found['value']:.6g} ± {found['standard_error']:.2g} a year (standard error of "
        "sampling). market.assets.gold.drift is 0 a year now."
    )
    assert outcome.stderr.startswith("tried 0 ")


def test_breakeven__without_any__says_so_and_is_no_error(token):
    outcome = assay("breakeven", token, "--claim", "never", "--solve", "drift", "--paths", 128)
    assert outcome.stdout.strip().splitlines()[-1] == (
        "No value of market.assets.gold.drift from -2 to 2 a year makes never as likely as not: it "
        "holds on 0 % of the paths over 365 days. market.assets.gold.drift is 0 a year now."
    )


def test_breakeven__where_the_probability_jumps__says_so(folder):
    outcome = assay(
        "breakeven", "gold-vault-sober", "--paths", 128, *CALM, "--claim", "gold-vault-8-12",
        "--solve", "tokens_per_day", "--low", 0, "--high", 20_000,
    )  # fmt: skip
    last = outcome.stdout.strip().splitlines()[-1]
    assert "its probability jumps across one half (0 % to 100 %)" in last


def test_breakeven__of_a_run__takes_its_scenario(token):
    assay("run", token, "--paths", 256, "--no-replay", "--json", "--out", "done")
    options = ("--claim", "rises", "--solve", "drift", "--json")
    of_run = strict_json(assay("breakeven", "done", *options).stdout)
    assert of_run == strict_json(assay("breakeven", token, "--paths", 256, *options).stdout)
    assert of_run["paths"] == 256


def test_breakeven__of_an_effect__names_the_difference_and_its_error(token):
    sets = tuple(part for override in questions.TWO_METALS for part in ("--set", override))
    command = ("breakeven", token, *sets, "--claim", "beats", "--solve", "gold.drift")
    found = strict_json(assay(*command, "--json").stdout)
    assert abs(found["value"] - 0.05) < 2 * found["standard_error"]
    assert found["present"]["probability"] is None
    outcome = assay(*command)
    assert outcome.stdout.strip().splitlines()[-1] == (
        f"beats turns at market.assets.gold.drift = {found['value']:.6g} ± "
        f"{found['standard_error']:.2g} a year (standard error of sampling): there the mean total "
        "return in dollars over 365 days, gold less silver, is 0.00 points. "
        "market.assets.gold.drift is 0 a year now."
    )
    assert re.search(r"^ *0 now +-?\d+\.\d points +\d+\.\d+ points", outcome.stdout, re.MULTILINE)
    nothing = assay(*command[:-1], "premium_mean").stdout.strip().splitlines()[-1]
    assert re.search(r"makes beats turn: the mean total return .* is -\d\.\d points\.", nothing)


@pytest.mark.parametrize("command", ["breakeven", "sensitivity"])
def test_question__about_a_premise__is_refused_with_the_reason(folder, command):
    solve = ("--solve", "gold.drift") if command == "breakeven" else ()
    claim = ("--claim", "central-banks-above-1000")
    line = refused(2, command, "hard-assets-2026", "--paths", 128, *claim, *solve)
    assert line == (
        "assay: claim central-banks-above-1000 is a premise: it is judged on history, and no "
        "parameter of the world moves it"
    )


def test_run__of_claims_with_break_evens__prints_and_keeps_them(token):
    asked = ("--set", "claims.rises.break_even=[market.assets.gold.drift]")
    common = (
        "run",
        token,
        "--paths",
        256,
        "--no-replay",
        "--parameter-sets",
        0,
        "--assumption-sets",
        0,
        *asked,
    )
    (found,) = strict_json(assay(*common, "--json", "--out", "a").stdout)["break_evens"]
    options = ("--claim", "rises", "--solve", "drift", "--paths", 256, "--json")
    alone = strict_json(assay("breakeven", token, *options).stdout)
    for name in ("claim", "parameter", "paths", "value", "standard_error", "probability"):
        assert found[name] == alone[name]
    assert found["now"] == 0.0
    assert strict_json(Path("a/break_evens.json").read_text(encoding="utf-8")) == [found]
    text = assay(*common, "--out", "b", "-v").stdout
    assert f"{found['value']:.5g}" in text
    assert "What would have to be true" in Path("b/report.html").read_text(encoding="utf-8")
    assay(
        "run",
        token,
        "--paths",
        256,
        "--no-replay",
        "--parameter-sets",
        0,
        "--assumption-sets",
        0,
        "--out",
        "c",
    )
    assert not Path("c/break_evens.json").exists()


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (2, ("--claim", "rise", "--solve", "drift"), "has no claim rise; did you mean rises?"),
        (2, ("--claim", "rises", "--solve", "drfit"), "did you mean market.assets.gold.drift?"),
        (2, ("--claim", "rises"), "Missing option '--solve'"),
        (2, ("--solve", "drift"), "Missing option '--claim'"),
        (2, ("--claim", "rises", "--solve", "drift", "--low", "x"), "'x' is not a valid float"),
        (
            2,
            ("--claim", "rises", "--solve", "drift", "--low", "1", "--high", "1"),
            "--low 1 must be below --high 1",
        ),
        (
            3,
            ("--claim", "rises", "--solve", "drift", "--low", "-3"),
            "--low: market.assets.gold.drift is -3; must be -2 to 2",
        ),
        (3, ("--claim", "rises", "--solve", "drift", "--paths", "0"), "paths is 0; must be 1 to"),
    ],
)
def test_breakeven__bad_input__is_one_line(token, code, options, message):
    assert message in refused(code, "breakeven", token, *options)


def test_breakeven__folder_that_is_no_run__is_usage(folder):
    (folder / "empty").mkdir()
    line = refused(2, "breakeven", "empty", "--claim", "rises", "--solve", "drift")
    assert line == "assay: empty is no run: it has no scenario.yaml"


# compare ------------------------------------------------------------------------------------


@pytest.fixture
def two_runs(token):
    """Return two runs that differ in the drift and the model of the market."""
    changes = ("--set", "market.assets.gold.drift=0.3", "--set", "market.model=garch")
    for name, options in (("one", ()), ("two", changes)):
        assay("run", token, "--paths", 256, "--no-replay", "--json", "--out", name, *options)
    return "one", "two"


def test_compare__of_a_run_with_itself__is_empty(two_runs):
    found = strict_json(assay("compare", "one", "one", "--json").stdout)
    for part in ("inputs", "calibration", "made_with", "verdicts"):
        assert found[part] == []
    lines = assay("compare", "one", "one").stdout.splitlines()
    assert lines == [
        "A  one", "B  one", "", "The inputs are the same.", "The verdicts are the same.",
    ]  # fmt: skip


def test_compare__of_two_runs__lists_what_went_in_and_came_out(two_runs):
    outcome = assay("compare", *two_runs, "--json")
    assert outcome.stderr == ""
    found = strict_json(outcome.stdout)
    assert found["runs"] == ["one", "two"]
    assert found["inputs"] == [
        {"name": "market.model", "values": ["gbm", "garch"]},
        {"name": "market.assets.gold.drift", "values": [0.0, 0.3]},
    ]
    assert (found["calibration"], found["made_with"]) == ([], [])
    changed = {d["name"]: tuple(d["values"]) for d in found["verdicts"]}
    one, two = (json.loads(Path(name, "verdicts.json").read_text()) for name in two_runs)
    assert changed["rises.probability"] == (one[0]["probability"], two[0]["probability"])
    assert "never.probability" not in changed
    text = assay("compare", *two_runs).stdout
    assert re.search(r"market.model +gbm +garch", text)
    assert re.search(r"rises +unlikely, [0-9.]+ %; median .* plausible, ", text)


def test_compare__claim_that_one_run_lacks__is_none_there(token):
    text = Path(token).read_text(encoding="utf-8").replace("\n  never:", "\n  other:")
    Path("own.yaml").write_text(text, encoding="utf-8")
    for name in ("token", "own"):
        assay("run", f"{name}.yaml", "--paths", 128, "--no-replay", "--json", "--out", name)
    found = strict_json(assay("compare", "token", "own", "--json").stdout)
    assert found["claims"]["other"][0] is None
    assert found["claims"]["never"][1] is None
    assert re.search(r"other +no such claim +refuted", assay("compare", "token", "own").stdout)


def test_compare__a_crisis__is_one_line(token):
    small = ("run", token, "--paths", 128, "--no-replay", "--json")
    assay(*small, "--out", "calm")
    assay(*small, "--crisis", "gold-2013-04", "--out", "crisis")
    (found,) = strict_json(assay("compare", "calm", "crisis", "--json").stdout)["inputs"]
    assert (found["name"], found["values"][0]) == ("shocks.gold-2013-04", None)
    # gold on 12, 15 and 16 April 2013; the token's market holds nothing else
    assert re.fullmatch(r"3 moves, hash [0-9a-f]{8}", found["values"][1])


def test_compare__a_shock__is_what_the_file_says_of_it(token):
    small = ("run", token, "--paths", 128, "--no-replay", "--json")
    crash = "shocks=[{name: crash, target: price.gold, day: 10, size: -0.2}]"
    assay(*small, "--out", "calm")
    assay(*small, "--set", crash, "--out", "crash")
    found = strict_json(assay("compare", "calm", "crash", "--json").stdout)["inputs"]
    assert {one["name"]: one["values"] for one in found} == {
        "shocks.crash.target": [None, "price.gold"],
        "shocks.crash.day": [None, 10],
        "shocks.crash.size": [None, -0.2],
    }


def test_compare__calibrations__by_their_figures(token):
    shipped = Path(questions.__file__).parents[2] / "scenarios/calibrations/metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8")
    assert text.count("value: 0.1743\n") == 1
    Path("own-calibration.yaml").write_text(text.replace("0.1743", "0.1843"), encoding="utf-8")
    for name, calibration in (("one", "metals-2026-01"), ("two", "own-calibration.yaml")):
        assay(
            "run", token, "--paths", 128, "--no-replay", "--json", "--out", name,
            "--calibration", calibration,
        )  # fmt: skip
    found = strict_json(assay("compare", "one", "two", "--json").stdout)
    assert found["inputs"] == []
    assert found["calibration"] == [
        {"name": "assets.gold.volatility.value", "values": [0.1743, 0.1843]}
    ]


def test_compare__calibration_that_a_run_keeps__is_the_one_compared(two_runs):
    shipped = Path(questions.__file__).parents[2] / "scenarios/calibrations/metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8")
    Path("one/calibration.yaml").write_text(text.replace("0.1743", "0.1943"), encoding="utf-8")
    found = strict_json(assay("compare", "one", "two", "--json").stdout)
    assert found["calibration"] == [
        {"name": "assets.gold.volatility.value", "values": [0.1943, 0.1743]}
    ]
    assert "market.calibration" not in {item["name"] for item in found["inputs"]}


@pytest.mark.parametrize("width", [80, 100, 160])
def test_compare__of_five_runs__loses_no_column_at_any_width(two_runs, width):
    names = ("one", "two", "one", "two", "one")
    runs = [read_run(Path(name), load_source(name)) for name in names]
    written = io.StringIO()
    console = Console(file=written, width=width, force_terminal=True, color_system=None)
    print_comparison(console, names, compare_runs(runs))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(lines)
    # every run's value of what differs, and every claim's word of every run
    assert (text.count("garch"), text.count("gbm")) == (2, 3)
    words = [run.verdicts[claim]["verdict"] for run in runs for claim in run.verdicts]
    for word in set(words):
        assert text.count(f" {word}") == words.count(word)
    assert "…" not in text


def test_compare__page__lays_fans_over_each_other__the_same_bytes_each_time(two_runs):
    for page in ("a.html", "b.html"):
        outcome = assay("compare", *two_runs, "one", "--html", page)
        assert outcome.stdout.endswith(f"page: {page}\n")
    one, two = (Path(page).read_text(encoding="utf-8") for page in ("a.html", "b.html"))
    assert one == two
    assert "default-src 'none'" in one
    (chart,) = re.findall(r'id="fan-price-gold"(.*?)</script>', one.replace("\n", " "))
    # a band of three lines for each of the runs
    assert [chart.count(f'"name":"{run}"') for run in "ABC"] == [1, 1, 1]
    assert chart.count('"fill":"tonexty"') == 3


def test_compare__one_run_alone__is_refused(two_runs):
    line = refused(2, "compare", "one")
    assert line == "assay: compare one: name another run beside it, or several"


def test_compare__what_is_no_finished_run__is_refused(two_runs):
    line = refused(2, "compare", "one", "gold-vault-sober")
    assert line == "assay: gold-vault-sober is no run's folder; it must hold a scenario.yaml"
    Path("two/verdicts.json").write_text("{", encoding="utf-8")
    assert "two/verdicts.json: not valid JSON" in refused(3, "compare", "one", "two")
    Path("two/verdicts.json").unlink()
    line = refused(2, "compare", "one", "two")
    assert line == "assay: two is no finished run: it has no verdicts.json"


# sweep --------------------------------------------------------------------------------------

DRIFTS = ("--set", "market.assets.gold.drift=0,0.1,0.2")
PREMIUMS = ("--set", "premium_mean=0,0.01")


def test_sweep__writes_one_table_and_a_heat_map(token):
    outcome = assay("sweep", token, *DRIFTS, *PREMIUMS, "--paths", 128, "--out", "grid")
    table = pd.read_parquet("grid/sweep.parquet")
    # Three claims on three times two points.
    assert len(table) == 18
    assert table["market.assets.gold.drift"].drop_duplicates().tolist() == [0.0, 0.1, 0.2]
    assert table["instruments.gold_token.premium_mean"].drop_duplicates().tolist() == [0.0, 0.01]
    page = Path("grid/sweep.html").read_text(encoding="utf-8")
    assert page.count('"type":"heatmap"') == 3
    assert {path.name for path in Path("grid").iterdir()} == {
        "sweep.parquet", "sweep.html", "first-point.yaml",
    }  # fmt: skip
    assert "sweeping 6 runs" in outcome.stderr
    assert outcome.stdout.endswith("table: grid/sweep.parquet\nheat map: grid/sweep.html\n")
    assert refused(2, "sweep", token, *DRIFTS, "--out", "grid") == (
        "assay: --out grid holds other files already; name another folder"
    )


def test_sweep__repeated__has_the_same_bytes(token):
    for name in ("one", "two"):
        assay("sweep", token, *DRIFTS, "--paths", 128, "--out", name, "--json")
    for file in ("sweep.parquet", "sweep.html", "first-point.yaml"):
        assert Path("one", file).read_bytes() == Path("two", file).read_bytes()


def test_sweep__json__is_one_object_and_the_folder_has_a_name(token):
    outcome = assay("sweep", token, *DRIFTS, "--paths", 128, "--json")
    assert outcome.stderr == ""
    found = strict_json(outcome.stdout)
    assert (found["runs"], len(found["rows"])) == (3, 9)
    assert re.fullmatch(r"runs/token-sweep-[0-9a-f]{8}", found["folder"])
    page = Path(found["folder"], "sweep.html").read_text(encoding="utf-8")
    assert '"type":"heatmap"' not in page
    table = pd.read_parquet(Path(found["folder"], "sweep.parquet"))
    assert [row["probability"] for row in found["rows"]] == table["probability"].tolist()
    # Done again, it takes the place of the first.
    assert strict_json(assay("sweep", token, *DRIFTS, "--paths", 128, "--json").stdout) == found


def test_sweep__of_an_effect_and_of_a_price__tells_each_in_its_own_scale(token):
    claims = (
        *questions.TWO_METALS,
        "claims.peak={says: x, conditions: [{series: price.gold, measure: highest, at_least: 1}]}",
    )
    loaded = load_scenario(token, overrides=claims)
    Path("metals.yaml").write_text(to_yaml(loaded.scenario, loaded.provenance), encoding="utf-8")
    outcome = assay("sweep", "metals.yaml", *DRIFTS, "--paths", 128, "--out", "grid")
    table = pd.read_parquet("grid/sweep.parquet")
    beats = table[table["claim"] == "beats"]
    assert beats["probability"].isna().all()
    assert beats["estimate"].is_monotonic_increasing
    shown = f"{100 * beats['estimate'].iloc[0]:.1f} points"
    assert re.search(rf"beats +0 +[\w ]+ +{re.escape(shown)}", outcome.stdout)
    # The gold price begins at 4,760 dollars.
    assert re.search(r"peak +0 +already met +100 % +[5-6],\d{3}", outcome.stdout)
    page = Path("grid/sweep.html").read_text(encoding="utf-8")
    assert "How large the difference of beats is" in page
    assert "no difference" in page


def test_sweep__claim_that_is_not_testable_at_a_point__is_said_there(folder):
    outcome = assay(
        "sweep", "gold-vault-sober", "--set", "horizon_days=40,365", "--paths", 128, "--json"
    )
    first, _, third, _ = strict_json(outcome.stdout)["rows"]
    assert (first["verdict"], first["probability"]) == ("not testable", None)
    assert third["verdict"] == "refuted"


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (2, (), "Missing option '--set'"),
        (2, ("--set", "paths"), "--set paths: must be PATH=VALUE,VALUE,..."),
        (2, ("--set", "drfit=0,1"), "did you mean market.assets.gold.drift?"),
        (2, ("--set", "seed=" + "1," * 10_000 + "1"), "10,001 runs; more than 10,000 need --yes"),
        (
            3,
            ("--set", "market.assets.gold.drift=0,3"),
            "--set: market.assets.gold.drift is 3; must be -2 to 2",
        ),
        (3, ("--set", "market.model=gbm,gmb"), "did you mean 'gbm'?"),
    ],
)
def test_sweep__bad_input__is_one_line_and_writes_nothing(token, code, options, message):
    assert message in refused(code, "sweep", token, *options)


# sensitivity --------------------------------------------------------------------------------


def test_sensitivity__of_a_run__leaves_a_page_and_a_part_of_its_report(token):
    assay("run", token, "--paths", 128, "--no-replay", "--json", "--out", "done",
          "--parameter-sets", 3, "--assumption-sets", 0)  # fmt: skip
    outcome = assay("sensitivity", "done", "--claim", "rises")
    page = Path("done/sensitivity-rises.html").read_text(encoding="utf-8")
    assert page.count('class="chart"') == 2
    report = Path("done/report.html").read_text(encoding="utf-8")
    assert report.count('id="tornado-rises"') == 1
    assert "What rises hangs on" in report
    assert outcome.stdout.endswith(
        "tornado: done/sensitivity-rises.html\nreport: done/report.html\n"
    )
    assert re.search(
        r"^ *(drift|volatility), (a year|1/sqrt\(year\)) ", outcome.stdout, re.MULTILINE
    )
    words = " ".join(outcome.stdout.split())
    assert "rises on 128 paths of 365 days: now" in words
    assert "(total return in dollars over 365 days)" in words
    # Done again, and the report alone: the same bytes.
    assay("sensitivity", "done", "--claim", "rises", "--out", "again.html")
    assert Path("again.html").read_text(encoding="utf-8") == page
    assert assay("report", "done").stdout == "report: done/report.html\n"
    assert Path("done/report.html").read_text(encoding="utf-8") == report


def test_sensitivity__of_a_run_changed_by_set__stays_out_of_its_report(token):
    assay("run", token, "--paths", 128, "--no-replay", "--json", "--out", "done",
          "--parameter-sets", 0, "--assumption-sets", 0)  # fmt: skip
    before = Path("done/report.html").read_bytes()
    assay("sensitivity", "done", "--claim", "rises", "--set", "gold.drift=0.1", code=3)
    changed = ("--set", "market.assets.gold.drift=0.1")
    found = strict_json(assay("sensitivity", "done", "--claim", "rises", *changed, "--json").stdout)
    assert "report" not in found
    assert Path("done/report.html").read_bytes() == before
    assert not Path("done/sensitivity").exists()


# report -------------------------------------------------------------------------------------


def test_report__of_a_replayed_run__is_written_anew_with_the_same_bytes(token):
    assay("run", token, "--paths", 128, "--chain", "revm", "--json", "--out", "done",
          "--set", "horizon_days=30", "--parameter-sets", 2, "--assumption-sets", 0)  # fmt: skip
    page = Path("done/report.html")
    before = page.read_bytes()
    page.unlink()
    assay("report", "done")
    assert page.read_bytes() == before


def test_report__of_another_versions_run__shows_what_it_can_and_says_what_not(token):
    assay("run", token, "--paths", 128, "--no-replay", "--json", "--out", "done",
          "--parameter-sets", 2, "--assumption-sets", 0)  # fmt: skip
    file = Path("done/manifest.json")
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["packages"]["assay-sim"] = "0.0.1"
    file.write_text(json.dumps(manifest), encoding="utf-8")
    Path("done/parameter_sets.parquet").write_bytes(b"of another kind")
    assay("report", "done")
    page = Path("done/report.html").read_text(encoding="utf-8")
    assert "version of assay-sim is 0.0.1: the run was made by it" in page
    assert "parameter_sets.parquet: left out, for it is not what Assay wrote" in page
    assert "What 100,000 dollars become" in page
    # a scenario that this version cannot read: the page that is there stays
    scenario = Path("done/scenario.yaml")
    scenario.write_text(f"of_old: 3\n{scenario.read_text(encoding='utf-8')}", encoding="utf-8")
    told = refused(3, "report", "done")
    assert "done: cannot be read by this version; its report stays as it was: assay open" in told
    assert Path("done/report.html").read_text(encoding="utf-8") == page


def test_report__of_what_is_no_such_run__is_refused(token):
    assert refused(2, "report", token) == (
        f"assay: {token} is no run's folder; it must hold a scenario.yaml"
    )
    assay("run", token, "--paths", 128, "--no-replay", "--json", "--out", "done",
          "--parameter-sets", 2, "--assumption-sets", 0)  # fmt: skip
    sets = Path("done/parameter_sets.parquet")
    kept = sets.read_bytes()
    sets.write_bytes(b"nothing")
    assert "done/parameter_sets.parquet: is not what Assay wrote" in refused(3, "report", "done")
    sets.write_bytes(kept)
    manifest = json.loads(Path("done/manifest.json").read_text(encoding="utf-8"))
    text = json.dumps({**manifest, "checksum": "0" * 64})
    Path("done/manifest.json").write_text(text, encoding="utf-8")
    assert "its numbers are not found again" in refused(2, "report", "done")
    Path("done/manifest.json").unlink()
    assert "done is no finished run: it has no manifest.json" in refused(2, "report", "done")


def test_sensitivity__json__is_one_object_sorted_by_effect(token):
    outcome = assay("sensitivity", token, "--claim", "rises", "--paths", 128, "--json")
    assert outcome.stderr == ""
    found = strict_json(outcome.stdout)
    assert found["page"] == "runs/token-sensitivity-rises.html"
    assert found["paths"] == 128
    reaches = [effect["reach"] for effect in found["effects"]]
    assert reaches == sorted(reaches, reverse=True)
    assert found["effects"][0]["name"].startswith("market.assets.gold.")


def test_sensitivity__unless_told_otherwise__takes_two_thousand_paths_at_most(folder):
    questions.token(folder, paths=10_000)
    found = strict_json(assay("sensitivity", "token.yaml", "--claim", "never", "--json").stdout)
    assert found["paths"] == 2_000
    page = Path(found["page"]).read_text(encoding="utf-8")
    assert "No input moves that by itself." in page


def test_sensitivity__bad_input__is_one_line_and_writes_nothing(token):
    line = refused(2, "sensitivity", token, "--claim", "rise")
    assert line == "assay: scenario token has no claim rise; did you mean rises?"
    assert "Missing option '--claim'" in refused(2, "sensitivity", token)
    line = refused(3, "sensitivity", token, "--claim", "rises", "--paths", "0")
    assert "paths is 0; must be 1 to" in line
    line = refused(2, "sensitivity", token, "--claim", "rises", "--paths", 128, "--out",
                   "token.yaml/x.html")  # fmt: skip
    assert "cannot write to token.yaml/x.html" in line
