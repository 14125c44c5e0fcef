"""Bad input ends with every problem on standard error, exit code 2 or 3, and nothing written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.scenario.files import shipped_folder

SOBER = (shipped_folder() / "gold-vault-sober.yaml").read_text(encoding="utf-8")
RUN = ("--paths", "128", "--no-replay")

# click 8.2 always keeps the streams apart.


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty working directory; `runs` would appear in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    """Return what a folder holds, with times and bytes."""
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in folder.rglob("*")
    }


def assay(*arguments):
    return CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])


def refused(folder, code, *arguments):
    """Return the lines on standard error of a command that must fail and leave no trace."""
    before = contents(folder)
    outcome = assay(*arguments)
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    assert contents(folder) == before
    assert outcome.stdout == ""
    return outcome.stderr.splitlines()


def line_of(text, fragment):
    (number,) = [n for n, line in enumerate(text.splitlines(), 1) if fragment in line]
    return number


BAD = SOBER
for _old, _new in (
    ("horizon_days: 365", "horizon_days: 0"),
    ("run_share: {value: 0.2", "run_share: {value: 1.2"),
    ("idle_share: 0.05", "idle_share: 8 %"),
    ("pool_share: 0.20", "pool_shaer: 0.20"),
    ("pool_pace: {value: 0.02", "pool_pace: {value: 1.02"),
    ("performance_fee_bps: 1_000", "performance_fee_bps: 12_000"),
):
    assert BAD.count(_old) == 1
    BAD = BAD.replace(_old, _new)

BAD_FAULTS = [
    ("horizon_days: 0", "horizon_days is 0; must be 30 to 3660 (Steps of one calendar day)"),
    ("run_share", "instruments.gold_vault.run_share is 1.2; must be 0 to 1 (1 = 100 %)"),
    (
        "idle_share",
        "instruments.gold_vault.idle_share is '8 %'; must be a number, 0 to 1 (1 = 100 %); "
        "8 % is written 0.08",
    ),
    (
        "pool_shaer",
        "instruments.gold_vault.pool_shaer is 0.2; unknown key; did you mean 'pool_share'?",
    ),
    (
        "pool_pace",
        "instruments.gold_vault.pool_pace is 1.02; must be above 0 and below 1 (1 = 100 %)",
    ),
    (
        "performance_fee_bps",
        "instruments.gold_vault.performance_fee_bps is 12000; must be 0 to 5000 (10000 = 100 %)",
    ),
]


@pytest.mark.parametrize(
    "command",
    [
        ("run", "own.yaml", *RUN),
        ("run", "own.yaml", *RUN, "--json"),
        ("run", "own.yaml", *RUN, "--out", "new"),
        ("run", "own.yaml", "--chain", "revm"),
        ("replay", "own.yaml", "--chain", "revm"),
        ("scenario", "check", "own.yaml"),
        ("scenario", "show", "own.yaml"),
    ],
    ids=" ".join,
)
def test_bad_scenario__every_problem__with_file_line_field_value_and_rule(folder, command):
    (folder / "own.yaml").write_text(BAD, encoding="utf-8")
    expected = [f"own.yaml:{line_of(BAD, fragment)}: {fault}" for fragment, fault in BAD_FAULTS]
    assert refused(folder, 3, *command) == expected


def test_one_problem__is_led_by_the_programs_name(folder):
    text = SOBER.replace("paths: 10_000", "paths: ten")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    assert refused(folder, 3, "run", "own.yaml", "--no-replay") == [
        f"assay: own.yaml:{line_of(text, 'paths: ten')}: paths is 'ten'; must be a whole number, "
        "1 to 10000000 (Number of simulated paths)"
    ]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--paths", "0"), "paths is 0; must be 1 to 10000000 (Number of simulated paths)"),
        (("--paths", "-5"), "paths is -5; must be 1 to 10000000 (Number of simulated paths)"),
        (
            ("--seed", "-1"),
            "seed is -1; must be at least 0 and below 9223372036854775808 "
            "(Key of every random draw)",
        ),
        (
            ("--set", "horizon_days=0"),
            "horizon_days is 0; must be 30 to 3660 (Steps of one calendar day)",
        ),
        (
            ("--set", "instruments.gold_vault.idle_shar=0.1"),
            "instruments.gold_vault.idle_shar is 0.1; unknown key; did you mean 'idle_share'?",
        ),
    ],
)
def test_bad_option__is_refused_as_the_command_lines(folder, arguments, fault):
    assert refused(folder, 3, "run", "gold-vault-sober", *arguments) == [f"assay: --set: {fault}"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--set", "paths"),
        ("--set", "paths.a=3"),
        ("--paths", "ten"),
        ("--paths", "1.5"),
        ("--seed", "x"),
        ("--workers", "0"),
        ("--fail-on", "disproved"),
        ("--chain", "mainnet"),
        ("--path", "3"),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_bad_usage__is_exit_code_2(folder, arguments):
    lines = refused(folder, 2, "run", "gold-vault-sober", *arguments)
    assert lines


@pytest.mark.parametrize("command", ["run", "replay", "scenario check", "scenario show"])
def test_unknown_scenario__is_usage_and_suggests_the_nearest(folder, command):
    (line,) = refused(folder, 2, *command.split(), "gold-vault-sobre")
    assert line == "assay: no scenario gold-vault-sobre; did you mean gold-vault-sober?"


def test_unknown_command__is_usage(folder):
    assert any("No such command" in line for line in refused(folder, 2, "runn", "gold-vault-sober"))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", ":1: is empty; must be a mapping of keys to values"),
        (b"- a\n- b\n", ":1: must be a mapping of keys to values"),
        (b"name: \xff\n", ":1: must be UTF-8 text (byte 0xff)"),
        (
            b"name: x\n\ttitle: y\n",
            ":2: not valid YAML: found character '\\t' that cannot start any token; "
            "indent with spaces, not tabs",
        ),
        (b"name: x\nname: y\n", ":2: name: stands twice; it is on line 1 already"),
    ],
    ids=["empty", "list", "bytes", "tab", "twice"],
)
def test_file_that_is_no_scenario__is_exit_code_3(folder, content, rule):
    (folder / "own.yaml").write_bytes(content)
    found = refused(folder, 3, "run", "own.yaml", *RUN)
    assert f"own.yaml{rule}" in [line.removeprefix("assay: ") for line in found]


def test_scenario__that_is_a_folder_or_missing__is_usage(folder):
    (folder / "some").mkdir()
    for name in ("some", "some/none.yaml", "/dev/null/none.yaml"):
        (line,) = refused(folder, 2, "run", name, *RUN)
        assert line.startswith(f"assay: no scenario {name}; ")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            None,
            "--calibration: market.calibration is 'cal.yaml'; must be a calibration file or a "
            "shipped calibration; shipped: hard-assets-2026-01, metals-2026-01",
        ),
        (
            "name: [\n",
            "cal.yaml:2: not valid YAML: expected the node content, but found '<stream end>'",
        ),
        ("- a\n", "cal.yaml:1: must be a mapping of keys to values"),
    ],
)
def test_calibration__missing_or_broken__is_refused(folder, content, fault):
    if content is not None:
        (folder / "cal.yaml").write_text(content, encoding="utf-8")
    found = refused(folder, 3, "run", "gold-vault-sober", *RUN, "--calibration", "cal.yaml")
    assert found == [f"assay: {fault}"]


def test_calibration__without_an_asset_of_the_scenario__names_both(folder):
    text = SOBER.replace("calibration: metals-2026-01", "calibration: cal.yaml")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    rows = prices(600, names=("gold", "silver"))
    (folder / "two.csv").write_text(rows, encoding="utf-8")
    alone = ("--over", "none", "--price-ok", "gold")
    done = assay("calibrate", "two.csv", *alone, "--out", "cal.yaml")
    assert done.exit_code == 0, done.stderr
    (line,) = refused(folder, 3, "run", "own.yaml", *RUN)
    place = f"own.yaml:{line_of(text, '    copper:')}"
    assert line.startswith(f"assay: {place}: market.assets.copper: is not in the calibration ")
    assert line.endswith("(cal.yaml), which has gold, silver")


@pytest.mark.parametrize(
    ("holds", "text"),
    [
        ("manifest.json", "precious"),
        ("manifest.json", "5"),
        ("manifest.json", '["run_hash"]'),
        ("letter.txt", "precious"),
        (".hidden", "precious"),
    ],
)
def test_out__that_holds_something__is_usage_and_stays_untouched(folder, holds, text):
    (folder / "old").mkdir()
    (folder / "old" / holds).write_text(text, encoding="utf-8")
    (line,) = refused(folder, 2, "run", "gold-vault-sober", *RUN, "--out", "old")
    assert line == "assay: --out old holds other files already; name another folder"


def test_out__that_is_a_file__is_usage(folder):
    (folder / "old").write_text("precious", encoding="utf-8")
    (line,) = refused(folder, 2, "run", "gold-vault-sober", *RUN, "--out", "old")
    assert line.startswith("assay: cannot write to old")


@pytest.mark.parametrize("label", ["p51", "128", "-1", "1.5", "worst", "²", ""])
def test_replay__path_that_does_not_exist__is_usage(folder, label):
    lines = refused(
        folder, 2, "replay", "gold-vault-sober", "--paths", "128", "--set", "horizon_days=30",
        "--chain", "revm", f"--path={label}",
    )  # fmt: skip
    assert lines[-1] == f"assay: no path {label}; must be p05, p50, p95, events or 0 to 127"


def test_chain__that_cannot_be_had__is_exit_code_4_and_nothing_is_written(folder):
    lines = refused(
        folder, 4, "run", "gold-vault-sober", "--paths", "128", "--anvil", "no/such/anvil"
    )
    assert "no/such/anvil" in lines[-1]


# Prices -------------------------------------------------------------------------------------


def prices(n_rows, names=("gold",), seed=7):
    """Return a CSV of random walks on weekdays; row n stands on line n + 2."""
    random = np.random.default_rng(seed)
    dates = np.arange("2020-01-01", "2030-01-01", dtype="datetime64[D]")
    dates = dates[np.is_busday(dates)][:n_rows]
    walks = 100 * np.exp(np.cumsum(random.standard_t(5, (n_rows, len(names))) * 0.008, axis=0))
    head = ",".join(["date", *(f"{name}_usd_per_oz" for name in names)])
    rows = [
        f"{date}," + ",".join(f"{x:.4f}" for x in row)
        for date, row in zip(dates, walks, strict=True)
    ]
    return "\n".join([head, *rows]) + "\n"


def spoiled(*changes):
    """Return 600 good rows of gold with some cells replaced: (line, column, text)."""
    lines = prices(600).splitlines()
    for number, column, text in changes:
        cells = lines[number - 1].split(",")
        cells[column] = text
        lines[number - 1] = ",".join(cells)
    return "\n".join(lines) + "\n"


def test_calibrate__bad_prices__are_all_listed_and_nothing_is_written(folder):
    lines = spoiled((10, 1, "0"), (20, 1, "-5.5"), (30, 1, "n/a"), (40, 1, "?"), (50, 1, "1,5"))
    copy_of_line_60 = lines.splitlines()[59] + "1"
    lines = "\n".join([*lines.splitlines()[:60], copy_of_line_60, *lines.splitlines()[60:]]) + "\n"
    (folder / "bad.csv").write_text(lines, encoding="utf-8")
    found = refused(folder, 3, "calibrate", "bad.csv", "--out", "cal.yaml")
    date = copy_of_line_60.split(",")[0]
    assert found == [
        "bad.csv:10: gold_usd_per_oz is '0'; must be above 0",
        "bad.csv:20: gold_usd_per_oz is '-5.5'; must be above 0",
        "bad.csv:40: gold_usd_per_oz is '?'; must be a number, without units",
        "bad.csv:50: row is 3 cells; must have 2, as the header has",
        f"bad.csv:61: date is {date} (as on line 60); must stand once",
    ]


def test_calibrate__too_few_rows__are_refused(folder):
    (folder / "bad.csv").write_text(prices(100), encoding="utf-8")
    alone = ("calibrate", "bad.csv", "--over", "none", "--out", "cal.yaml")
    assert refused(folder, 3, *alone) == [
        "assay: bad.csv: gold_usd_per_oz is 99 daily returns; must be at least 500 for a GARCH fit"
    ]


def test_calibrate__gap_in_the_dates__is_refused(folder):
    lines = prices(600).splitlines()
    (folder / "bad.csv").write_text("\n".join(lines[:100] + lines[115:]) + "\n", encoding="utf-8")
    (line,) = refused(folder, 3, "calibrate", "bad.csv", "--out", "cal.yaml")
    assert line.startswith("assay: bad.csv:101: date is ")
    assert line.endswith("must be at most 7 days after the row before")


@pytest.mark.parametrize(
    ("content", "rule"),
    [(None, "no such file"), (b"", "is empty"), (b"\xff\xfe", "must be UTF-8 text (byte 0xff)")],
)
def test_calibrate__file_that_is_no_table__is_refused(folder, content, rule):
    if content is not None:
        (folder / "bad.csv").write_bytes(content)
    (line,) = refused(folder, 3, "calibrate", "bad.csv", "--out", "cal.yaml")
    assert line.endswith(f": {rule}")


def test_calibrate__without_out__is_usage(folder):
    (folder / "good.csv").write_text(prices(600), encoding="utf-8")
    assert any("--out" in line for line in refused(folder, 2, "calibrate", "good.csv"))


# In a shell ---------------------------------------------------------------------------------


def test_shell__bad_scenario__writes_to_standard_error_and_exits_with_3(folder):
    (folder / "own.yaml").write_text(BAD, encoding="utf-8")
    program = Path(sys.executable).with_name("assay")
    done = subprocess.run(
        [program, "run", "own.yaml", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == len(BAD_FAULTS)
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == ["own.yaml"]


def test_calibrate__onto_its_own_data__is_refused_and_the_data_stay(tmp_path):
    data = tmp_path / "prices.csv"
    data.write_text("date,gold_usd_per_oz\n2020-01-01,1500\n")
    before = data.read_bytes()
    done = CliRunner().invoke(main, ["calibrate", str(data), "--out", str(data)])
    assert done.exit_code == 2
    assert "is the data itself" in done.output
    assert data.read_bytes() == before
