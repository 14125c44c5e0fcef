"""`assay stress`: its tables, its object, its page, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main

SMALL = ("gold-vault-sober", "--paths", "128", "--set", "horizon_days=60")
TWO = ("--only", "gold-shortfall", "--only", "vault-run")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, ["stress", *arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def test_tables__fit_80_columns_and_show_what_moves():
    outcome = assay(*SMALL, *TWO)
    lines = outcome.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = outcome.stdout
    assert "token_only: mean return in dollars" in text
    assert "gold_vault: LaR, 95th percentile of the debt" in text
    # of both who hold gold alone, by the token or in the vault, all is lost
    lost = [line.split()[-1] for line in lines if "gold-shortfall" in line]
    assert any(float(number) < -95 for number in lost if number.startswith("-"))
    assert "simulating 128 paths under 6 shocks" in outcome.stderr
    assert "s more" in outcome.stderr


def test_json_and_page__say_the_same__and_the_page_is_the_same_bytes_each_time():
    found = json.loads(assay(*SMALL, *TWO, "--json", "--html", "one.html").stdout)
    assay(*SMALL, *TWO, "--html", "two.html")
    one, two = (Path(name).read_bytes() for name in ("one.html", "two.html"))
    assert one == two
    page = one.decode("utf-8")
    assert "default-src 'none'" in page
    assert '"type":"heatmap"' in page
    assert "Silicon Valley Bank, 9 March 2023" in page
    cells = {(cell["ladder"], cell["severity"]): cell for cell in found["cells"]}
    assert len(cells) == 6
    # all the gold is gone: what is left is -100 %
    left = found["without"]["returns"]["token_only"]
    assert cells["gold-shortfall", "extreme"]["returns"]["token_only"] == pytest.approx(-1 - left)
    assert set(found["without"]["lenders"]["gold_vault"]) == {"var", "lar"}


def test_own_ladders__beside_what_the_scenario_has_not():
    Path("own.yaml").write_text(
        "ladders:\n  mine:\n    target: mining_sto.strike\n    says: a strike\n"
        "    mild: {mark: assumption}\n    severe: {mark: assumption}\n"
        "    extreme: {mark: assumption}\n",
        encoding="utf-8",
    )
    outcome = assay(
        *SMALL, "--ladder", "own.yaml", "--ladder", "ready", "--only", "vault-run", "--only", "mine"
    )
    assert "left out, for the scenario does not have what they hit: mine (mining_sto" in (
        " ".join(outcome.stdout.split())
    )
    refused = assay(*SMALL, "--ladder", "own.yaml", code=2)
    assert refused.stderr == (
        "assay: the scenario has nothing that these ladders hit: mining_sto.strike\n"
    )


def test_ladder__without_source_or_mark__is_one_line():
    Path("own.yaml").write_text(
        "ladders:\n  gold:\n    target: price.gold\n    says: falls\n"
        "    mild: {size: -0.1}\n    severe: {size: -0.2, mark: assumption}\n"
        "    extreme: {size: -0.3, mark: assumption}\n",
        encoding="utf-8",
    )
    assert assay(*SMALL, "--ladder", "own.yaml", code=3).stderr == (
        "assay: own.yaml:5: ladders.gold.mild: must have a source, or a mark: assumption where "
        "there is none\n"
    )


def test_page__where_it_cannot_be_written__is_refused_before_the_work():
    assert "--html .: is a folder" in assay(*SMALL, "--html", ".", code=2).stderr


def test_day__behind_the_horizon__is_one_line():
    told = assay("gold-vault-sober", "--paths", "128", "--day", "999", code=2).stderr
    assert told == "assay: --day 999: must be at most 365, the run's last day\n"
