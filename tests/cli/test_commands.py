"""What each command prints, writes and returns, in process and in a shell."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine import simulate
from simulator.scenario import load_calibration, load_scenario, shipped_scenarios

READY = [path.stem for path in shipped_scenarios()]
PROGRAM = Path(sys.executable).with_name("assay")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments, code=0):
    """Return the outcome of a command that must exit with `code`."""
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def shell(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


def strict_json(text):
    """Parse one JSON object; NaN and infinity are no JSON."""

    def refuse(name):
        raise AssertionError(f"{name} in the JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder and the JSON object of a run of 256 paths."""
    path = tmp_path_factory.mktemp("finished") / "run"
    outcome = assay(
        "run", "gold-vault-sober", "--paths", 256, "--no-replay", "--json", "--out", path
    )
    return path, outcome


# run ----------------------------------------------------------------------------------------


def test_run__unless_told_otherwise__draws_fifty_sets():
    from simulator.cli.commands.run import SETS

    assert SETS == 50


def test_run__json__is_one_object_with_everything_that_was_found(finished):
    path, outcome = finished
    assert outcome.stderr == ""
    assert outcome.stdout.count("\n") == 1
    found = strict_json(outcome.stdout)
    assert set(found) == {
        "run", "scenario", "seed", "paths", "steps", "checksum", "seconds", "peak_rss_mib",
        "break_evens", "verdicts", "investors", "instruments", "replays", "every_path", "shocks",
    }  # fmt: skip
    assert found["run"] == str(path)
    assert (found["scenario"], found["seed"]) == ("gold-vault-sober", 20260120)
    assert (found["paths"], found["steps"], found["replays"]) == (256, 365, [])
    for verdict in found["verdicts"]:
        assert {
            "claim", "kind", "subject", "text", "probability", "interval", "parameter_range",
            "verdict", "p05", "median", "p95", "max_drawdown_median", "organic_share",
            "met_at_start",
        } <= set(verdict)  # fmt: skip
        assert verdict["kind"] == "event"
        assert len(verdict["interval"]) == 2


def test_run__sets_of_assumptions__are_kept_and_told_and_can_be_left_out(folder):
    common = ("run", "gold-vault-sober", "--paths", "64", "--no-replay", "--parameter-sets", "0")
    told = strict_json(assay(*common, "--assumption-sets", "3", "--json", "--out", "a").stdout)
    assert told["seconds"]["assumption_sets"] > 0
    sets = pd.read_parquet(folder / "a" / "assumption_sets.parquet")
    assert len(sets) == 3 * len(told["verdicts"])
    for verdict in told["verdicts"]:
        shares = sets.loc[sets["claim"] == verdict["claim"], "probability"]
        low, high = verdict["assumption_range"]
        assert shares.min() <= low <= high <= shares.max()
        assert verdict["parameter_range"] is None
    page = (folder / "a" / "report.html").read_text()
    assert "Range over assumptions" in page
    assert 'class="reach assumption"' in page
    outcome = assay(*common, "--assumption-sets", "0", "--out", "b")
    assert "sets of assumptions" not in outcome.stderr
    assert not (folder / "b" / "assumption_sets.parquet").exists()
    # written anew it says the same
    assay("report", "a")
    assert (folder / "a" / "report.html").read_text() == page


def test_run__of_one_path__warns_once_and_decides_nothing(folder):
    outcome = assay("run", "gold-vault-sober", "--paths", "1", "--no-replay", "--parameter-sets",
                    "2", "--assumption-sets", "2", "--json", "--out", "a")  # fmt: skip
    assert outcome.stderr.count("1 path decides nothing") == outcome.stderr.count("\n") == 1
    assert {v["verdict"] for v in strict_json(outcome.stdout)["verdicts"]} == {"not decided"}
    outcome = assay("run", "gold-vault-sober", "--paths", "128", "--no-replay", "--parameter-sets",
                    "0", "--assumption-sets", "0", "--json", "--out", "b")  # fmt: skip
    assert outcome.stderr == ""


def test_run__json__says_what_everybody_can_lose(finished):
    told = strict_json(finished[1].stdout)
    for group in (told["investors"], told["instruments"]):
        for name, found in group.items():
            lost = found["usd"]["losses"]
            assert 0 <= lost["loss"] <= 1, name
            assert lost["es_99"] >= lost["es_95"] >= lost["var_95"], name
            assert 0 <= lost["under_water_open"] <= 1, name


def test_run__json__says_what_the_engine_found(finished):
    loaded = load_scenario("gold-vault-sober", overrides=["paths=256"])
    outcome = simulate(loaded.scenario, loaded.calibration, workers=1)
    found = strict_json(finished[1].stdout)
    assert found["checksum"] == outcome.checksum
    yields = outcome.investors["holder"].values["total_return", "ounces"]
    stable = found["verdicts"][0]
    assert stable["median"] == np.median(yields)
    assert stable["conditions"][0]["probability"] == np.mean(yields >= 0.08)
    holder = found["investors"]["holder"]
    assert holder["ounces"]["total_return"]["median"] == np.median(yields)
    # The parts of the mean return add up to it.
    parts = found["instruments"]["gold_vault"]["ounces"]["attribution"].values()
    total = sum(part["mean_share"] for part in parts)
    assert total == pytest.approx(
        found["instruments"]["gold_vault"]["ounces"]["return_mean"], abs=1e-9
    )


def test_run__folder__holds_what_the_design_lists(finished):
    path, _ = finished
    names = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
    assert {
        "scenario.yaml", "manifest.json", "paths/investors/holder/000000000.parquet",
        "paths/series/000000000.parquet", "daily.parquet", "verdicts.json", "report.html",
        "answer.txt", "details.txt", "answer.json",
    } <= names  # fmt: skip
    assert not [name for name in names if name.startswith(".") or name.endswith(".tmp")]
    assert not [name for name in names if name.startswith("progress")]
    investors = {at.name: pd.read_parquet(at) for at in (path / "paths" / "investors").iterdir()}
    assert set(investors) == {"holder", "token_only"}
    assert [len(rows) for rows in investors.values()] == [256, 256]
    instruments = list((path / "paths" / "instruments").iterdir())
    assert instruments
    assert all(len(pd.read_parquet(at)) == 256 for at in instruments)
    strict_json((path / "verdicts.json").read_text(encoding="utf-8"))
    strict_json((path / "manifest.json").read_text(encoding="utf-8"))


def test_run__resolved_scenario_of_the_folder__runs_to_the_same_checksum(finished, folder):
    path, outcome = finished
    again = assay("run", path / "scenario.yaml", "--no-replay", "--json", "--out", folder / "again")
    assert strict_json(again.stdout)["checksum"] == strict_json(outcome.stdout)["checksum"]
    assert (folder / "again" / "scenario.yaml").read_bytes() == (
        path / "scenario.yaml"
    ).read_bytes()


def test_run__twice__writes_the_same_bytes(finished, folder):
    path, _ = finished
    assay(
        "run", "gold-vault-sober", "--paths", 256, "--no-replay", "--workers", 2,
        "--out", folder / "twice",
    )  # fmt: skip
    files = [file.relative_to(path) for file in path.rglob("*") if file.is_file()]
    assert files
    for name in files:
        assert (folder / "twice" / name).read_bytes() == (path / name).read_bytes(), name


def test_run__without_out__writes_into_runs_and_replaces_only_itself(folder):
    command = (
        "run",
        "gold-vault-sober",
        "--paths",
        "128",
        "--set",
        "horizon_days=30",
        "--no-replay",
    )
    once = assay(*command)
    (first,) = (folder / "runs").iterdir()
    assert re.fullmatch(r"gold-vault-sober-[0-9a-f]{8}", first.name)
    twice = assay(*command)
    assert "is finished already; --fresh computes it anew" in twice.stderr
    assert "simulating" not in twice.stderr
    assert twice.stdout == once.stdout
    assay(*command, "--seed", "5")
    assert len(list((folder / "runs").iterdir())) == 2


def written(path):
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def test_run__finished__is_told_again_with_its_exit_code_and_as_json(finished, folder):
    path, outcome = finished
    command = ("run", "gold-vault-sober", "--paths", 256, "--no-replay", "--out", path)
    before = written(path)
    again = strict_json(assay(*command, "--json").stdout)
    first = strict_json(outcome.stdout)
    for name in set(first) - {"seconds", "peak_rss_mib"}:
        assert again[name] == first[name], name
    refuted = assay(*command, "--fail-on", "refuted", code=6)
    assert "assay: refuted: gold-vault-8-12" in refuted.stderr
    assert written(path) == before


def test_run__finished__with_other_options__keeps_its_paths_and_makes_the_rest_anew(folder):
    command = ("run", "gold-vault-sober", *SHORT[:4], "--no-replay", "--out", "x")
    assay(*command, "--parameter-sets", 0)
    chunk = folder / "x" / "paths" / "investors" / "holder" / "000000000.parquet"
    before = chunk.stat().st_mtime_ns
    outcome = assay(*command, "--parameter-sets", 3)
    assert "all 128 paths are there" in outcome.stderr
    assert chunk.stat().st_mtime_ns == before
    assert (folder / "x" / "parameter_sets.parquet").is_file()
    assay(*command[:-1], "y", "--parameter-sets", 3)
    assert written(folder / "x") == written(folder / "y")


def test_run__finished__a_changed_chunk__is_named_and_computed_again(folder):
    command = ("run", "gold-vault-sober", *SHORT[:4], "--no-replay", "--out", "x")
    assay(*command)
    before = written(folder / "x")
    chunk = folder / "x" / "paths" / "investors" / "holder" / "000000000.parquet"
    chunk.write_bytes(chunk.read_bytes()[:1000])
    outcome = assay(*command)
    assert "holder/000000000.parquet is cut short, or not what was written" in outcome.stderr
    assert written(folder / "x") == before


def test_run__fresh__computes_it_anew(folder):
    command = ("run", "gold-vault-sober", *SHORT[:4], "--no-replay", "--out", "x")
    assay(*command)
    assert "simulating 128 paths" in assay(*command, "--fresh").stderr


def test_run__into_the_folder_of_another__is_refused_with_what_differs(folder):
    command = ("run", "gold-vault-sober", *SHORT[:4], "--no-replay", "--out", "x")
    assay(*command)
    before = written(folder / "x")
    refused = assay(*command, "--seed", 5, code=2)
    assert "x holds another run: seed 20260120 there, 5 here" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert written(folder / "x") == before


def test_run__options__reach_the_scenario(folder):
    outcome = assay(
        "run", "gold-vault-as-claimed", "--no-replay", "--json", "--out", "x",
        "--paths", 130, "--seed", 7, "--set", "horizon_days=40", "--set", "name=short",
    )  # fmt: skip
    found = strict_json(outcome.stdout)
    assert (found["paths"], found["seed"], found["steps"], found["scenario"]) == (
        130,
        7,
        40,
        "short",
    )
    resolved = load_scenario("x/scenario.yaml")
    assert resolved.provenance["horizon_days"].source == "--set"


def test_run__short_horizon__is_not_testable_and_still_strict_json(folder):
    outcome = assay(
        "run", "gold-vault-sober", "--paths", 128, "--set", "horizon_days=45", "--no-replay",
        "--json", "--out", "x",
    )  # fmt: skip
    stable = strict_json(outcome.stdout)["verdicts"][0]
    assert stable["verdict"] == "not testable"
    assert stable["probability"] is None
    assert "365 days" in stable["reason"]
    assert strict_json((folder / "x" / "verdicts.json").read_text())[0]["probability"] is None


@pytest.mark.parametrize(("word", "code"), [("refuted", 6), ("supported", 0)])
def test_run__fail_on__exits_with_6_on_such_a_verdict(folder, word, code):
    outcome = assay(
        "run", "gold-vault-sober", "--paths", 128, "--no-replay", "--out", "x",
        "--fail-on", word, code=code,
    )  # fmt: skip
    # Hardly anybody borrows gold: 8 % a year are out of reach on every path.
    assert "refuted" in outcome.stdout
    assert ("assay: refuted: gold-vault-8-12" in outcome.stderr) is (code == 6)
    assert (folder / "x" / "report.html").is_file()


def test_run__calibration_of_ones_own__is_used(folder):
    shipped = shipped_scenarios()[0].parent / "calibrations" / "metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8").replace("name: metals-2026-01", "name: mine", 1)
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    assay(
        "run", "gold-vault-sober", "--paths", 128, "--set", "horizon_days=30", "--no-replay",
        "--calibration", "mine.yaml", "--out", "x",
    )  # fmt: skip
    assert strict_json((folder / "x" / "manifest.json").read_text())["calibration"] == "mine"


# replay -------------------------------------------------------------------------------------

SHORT = ("--paths", "128", "--set", "horizon_days=30", "--chain", "revm")


def test_run__with_replays_in_process__reconciles_four_paths(folder):
    outcome = assay("run", "gold-vault-sober", *SHORT, "--json", "--out", "x")
    replays = strict_json(outcome.stdout)["replays"]
    assert [replay["label"] for replay in replays] == ["p05", "p50", "p95", "events"]
    for replay in replays:
        assert replay["chain"] == "revm"
        assert replay["gas_is_lower_bound"]
        assert replay["ok"]
        assert replay["transactions"] > 30
        assert all(seen["max_error"] <= seen["tolerance"] for seen in replay["observables"])
    assert (folder / "x" / "replay" / "reconciliation.json").is_file()
    kept = sorted(path.name for path in (folder / "x" / "replay" / "p50").iterdir())
    assert kept == ["contracts.json", "events.parquet", "gas.csv", "roles.json",
                    "steps.parquet", "transactions.parquet"]  # fmt: skip


def test_replay__scenario__prints_each_observable(folder):
    outcome = assay("replay", "gold-vault-sober", *SHORT, "--path", "3")
    assert outcome.stdout.startswith("path 3 (3) on revm: ")
    assert " transactions, at least " in outcome.stdout  # gas in process is a lower bound
    assert "gold_vault." in outcome.stdout
    assert "DIFFERS" not in outcome.stdout
    assert list(folder.iterdir()) == []


def test_replay__run_folder__is_the_same_path_as_the_scenarios(folder):
    assay("run", "gold-vault-sober", *SHORT[:4], "--no-replay", "--out", "x")
    of_run = assay("replay", "x", "--chain", "revm", "--out", "kept", "--gas").stdout
    compared = ("--gas-against", "kept/gas.csv", "--json")
    of_scenario = strict_json(assay("replay", "gold-vault-sober", *SHORT, *compared).stdout)
    told = pd.read_csv("kept/gas.csv")
    assert of_run.startswith(f"path {of_scenario['path']} (p50) on revm: ")
    busiest = told.iloc[0]
    row = next(
        line
        for line in map(str.strip, of_run.splitlines())
        if line.endswith(f"{busiest['total']:,}")
    )
    assert row.split()[0] == ".".join(busiest[["label", "contract", "function"]])
    assert f"and {len(told) - 20} more" in of_run
    # set-up is no part of the total; all else is the same to the last unit of gas
    found = of_scenario["gas_by_function"]
    assert len(found) == len(told)
    assert all(row["change"] == 0 for row in found)
    sent = pd.read_parquet("kept/transactions.parquet")
    assert sent[sent["step"] >= 0]["gas"].sum() == of_scenario["gas"]
    assert len(pd.read_parquet("kept/events.parquet")) == sent["events"].sum()


def test_replay__into_a_folder_that_holds_something__is_usage(folder):
    (folder / "kept").mkdir()
    (folder / "kept" / "mine.txt").touch()
    outcome = assay("replay", "gold-vault-sober", *SHORT, "--out", "kept", code=2)
    assert "kept holds other files already; name another folder" in outcome.stderr
    outcome = assay("replay", "gold-vault-sober", *SHORT, "--gas-against", "none.csv", code=2)
    assert "none.csv cannot be read: No such file or directory" in outcome.stderr


# calibrate ----------------------------------------------------------------------------------


def test_calibrate__prices__writes_a_calibration_that_runs(folder):
    random = np.random.default_rng(11)
    dates = pd.bdate_range("2022-01-03", periods=620)
    steps = random.standard_t(6, (620, 3)) * 0.01
    steps[:, 1] += 0.5 * steps[:, 0]
    # levels near today's: others are refused
    walks = [4000, 50, 10_000] * np.exp(np.cumsum(steps, axis=0))
    names = ("gold_usd_per_oz", "silver_usd_per_oz", "copper_usd_per_tonne")
    table = pd.DataFrame(walks, columns=pd.Index(names)).assign(date=dates.strftime("%Y-%m-%d"))
    table.to_csv(folder / "prices.csv", index=False)
    outcome = assay("calibrate", "prices.csv", "--out", "own.yaml")
    assert outcome.stdout.splitlines()[-1] == "calibration: own.yaml"
    fitted = load_calibration("own.yaml")
    returns = np.diff(np.log(walks[:, 0]))
    counted = 619 / ((dates[-1] - dates[0]).days / 365.25)  # weekdays without holidays: 261
    expected = returns.std(ddof=1) * np.sqrt(counted)
    assert fitted.assets["gold"].volatility.value == pytest.approx(expected, rel=2e-3)
    assay(
        "run", "gold-vault-sober", "--paths", 128, "--set", "horizon_days=30", "--no-replay",
        "--calibration", "own.yaml", "--out", "x",
    )  # fmt: skip


# scenario, claims, help ---------------------------------------------------------------------


def test_scenario_list__names_every_ready_one_with_its_title(folder):
    lines = assay("scenario", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == READY
    for line, name in zip(lines, READY, strict=True):
        assert line.endswith(load_scenario(name).scenario.title)


@pytest.mark.parametrize("name", READY)
def test_scenario_show__prints_a_scenario_that_loads_the_same(folder, name):
    shown = assay("scenario", "show", name, "--set", "paths=99").stdout
    (folder / "shown.yaml").write_text(shown, encoding="utf-8")
    assert (
        load_scenario("shown.yaml").scenario == load_scenario(name, overrides=["paths=99"]).scenario
    )


def test_scenario_check__good_file__says_so(folder):
    text = (shipped_scenarios()[0]).read_text(encoding="utf-8")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    assert assay("scenario", "check", "own.yaml").stdout == "own.yaml: valid\n"


def test_claims__lists_each_once_with_its_test(folder):
    lines = assay("claims").stdout.splitlines()
    (head,) = [line for line in lines if line.startswith("gold-vault-8-12: ")]
    after = lines[lines.index(head) + 1 :][:3]
    assert after == [
        "    yield a year in ounces at least 8 %",
        "    drawdown in ounces at most 5 %",
        "    deviation of 30-day yields in ounces at most 1 %",
    ]


def commands_of(group, path=()):
    """Yield the path of every command, groups included."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands_of(command, (*path, name))


@pytest.mark.parametrize("path", list(commands_of(main)), ids=" ".join)
def test_help__of_every_command__explains_it_and_each_option(path):
    for flag in ("--help", "-h"):
        text = assay(*path, flag).stdout
        assert text.startswith(f"Usage: main {' '.join(path)}".rstrip())
    command = main
    for name in path:
        command = command.commands[name]
    assert command.help
    for option in command.params:
        if option.param_type_name == "option":
            assert option.help, f"{' '.join(path)} {option.name}"


def test_help__names_the_exit_codes():
    text = " ".join(assay("--help").stdout.split())
    for code in ("0 done", "1 internal", "2 usage", "3 invalid", "4 chain", "5 reconciliation"):
        assert code in text


# In a shell ---------------------------------------------------------------------------------


def test_shell__run_in_a_pipe__prints_plain_lines_and_progress_on_standard_error(folder):
    done = shell(
        "run", "gold-vault-sober", "--paths", "128", "--set", "horizon_days=30", "--no-replay",
        "--out", "x",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "simulating 128 paths over 30 days",
        "judging under 50 parameter sets",
        "judging under 50 sets of assumptions",
    ]
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "report: x/report.html"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("scenario", "list"), 0),
        (("scenario", "show", "hard-assets-2026"), 0),
        (("scenario", "list", "--unknown"), 2),
        (
            ("run", "gold-vault-sober", "--paths", "128",
             "--parameter-sets", "0", "--assumption-sets", "0", "--no-replay",
             "--fail-on", "refuted"),
            6,
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_shell__pipe_that_is_closed__ends_quietly_with_its_own_code(
    folder, arguments, code, unbuffered
):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [PROGRAM, *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writer)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Broken pipe" not in done.stderr
    # the same where nobody reads the errors either
    reader, writer = os.pipe()
    os.close(reader)
    both = subprocess.run([PROGRAM, *arguments], stdout=writer, stderr=writer, check=False)
    os.close(writer)
    assert both.returncode == code


def test_shell__version__is_the_packages(folder):
    done = shell("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"assay, version \d+\.\d+\.\d+\S*\n", done.stdout)


def test_shell__without_the_chain_extra__runs_all_but_the_replays(folder):
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('web3', 'pyrevm', 'eth_abi', 'vyper', 'ape', 'arch'):\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from simulator.cli import main\n"
        "main(['run', 'gold-vault-sober', '--paths', '128', '--set', 'horizon_days=30',\n"
        "      '--out', sys.argv[1], '--json', *sys.argv[2:]])\n"
    )

    def run(*arguments):
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("x", "--no-replay")
    assert done.returncode == 0, done.stderr
    assert strict_json(done.stdout)["paths"] == 128
    refused = run("y", "--chain", "revm")
    assert refused.returncode == 4
    assert 'pip install "assay-sim[chain]"' in refused.stderr
    assert not (folder / "y").exists()
