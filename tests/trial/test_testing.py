"""Somebody else's project tests its vault with our wheel, outside of here, as the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import FAULTS, SOURCE

from simulator.errors import UsageError
from simulator.testing.bench import shock
from simulator.trial.sequences import Year

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing-contracts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the wheel and install it, without what it depends on, into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    pip, run = [sys.executable, "-m", "pip"], {"capture_output": True, "text": True}
    # The build system is fetched, as for anybody who builds the wheel.
    build = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    built = subprocess.run(build, check=False, **run)
    if built.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"the wheel cannot be built: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(folder / "site"), str(wheel)], check=True, **run)
    return folder / "site"


@pytest.fixture
def project(tmp_path):
    """Return a project with a vault and the page's own tests."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "tests").mkdir()
    shutil.copy(SOURCE, tmp_path / "contracts" / "my_vault.vy")
    code = block("    # tests/test_my_vault.py\n")
    (tmp_path / "tests" / "test_my_vault.py").write_text(code)
    return tmp_path


def block(first):
    """Return the code on the page that begins with a line."""
    code = re.search(f"({re.escape(first)}(?:    .*\n|\n)+)", PAGE)
    return "\n".join(line[4:] for line in code.group(1).splitlines())


def run_tests(project, site):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:ape_test"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [*command, "tests"], cwd=project, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_page__in_a_foreign_project__passes_a_sound_vault(site, project):
    code, told = run_tests(project, site)
    assert code == 0, told
    assert "2 passed" in told


@pytest.mark.deep
def test_page__in_a_foreign_project__names_a_fault(site, project):
    vault = project / "contracts" / "my_vault.vy"
    text = vault.read_text()
    for old, new in FAULTS["donations"]:
        text = text.replace(old, new)
    vault.write_text(text)
    code, told = run_tests(project, site)
    assert code == 1, told
    # A gift is a gain at the next report, whose fee then lowers the price: either is found first.
    found = re.findall(r"AssertionError: (it [a-z ]+): its price (rises|falls)", told)
    assert set(found) <= {
        ("it counts donations", "rises"),
        ("it lets its price fall without a loss", "falls"),
    }, told
    assert found, told[-4_000:]


def test_plugin__loaded_by_itself__imports_nothing_that_computes():
    code = "import sys, simulator.testing.plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "numba", "pandas", "pyrevm", "hypothesis"} & set(done.stdout.split())


def test_shock__replaces_one_day_and_refuses_what_no_year_has():
    year = Year("own", (0.0, 0.01, 0.02), (1.0, 1.0, 1.0))
    assert shock(year, 2, -0.5).returns == (0.0, 0.01, -0.5)
    assert year.returns == (0.0, 0.01, 0.02)
    with pytest.raises(UsageError, match="must be 1 to 2"):
        shock(year, 3, -0.5)
    with pytest.raises(UsageError, match="must be above -1"):
        shock(year, 1, -1.0)


@pytest.mark.deep
def test_assay__in_a_foreign_ape_project__fails_where_a_commit_turns_a_verdict(site, project):
    pytest.importorskip("ape")
    (project / "ape-config.yaml").write_text("name: foreign\n")
    (project / "tests" / "test_my_vault.py").write_text(block("    import ape\n"))
    scenario = project / "promise.yaml"
    scenario.write_text("extends: gold-vault-sober\nname: promise\npaths: 1_000\n")
    contract = ("--assay-contract", "contracts/my_vault.vy", "--assay-years", "0")

    def run(*more):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--assay"]
        done = subprocess.run(
            [*command, "promise.yaml", "--junitxml", "found.xml", *more],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    code, told = run()
    assert code == 1, told
    assert "no verdict of gold-vault-8-12 is stored. It is refuted" in told
    for more in ((), contract):
        code, told = run(*more, "--assay-update")
        assert code == 0, told
        assert "verdicts stored in" in told
        code, told = run(*more)
        assert code == 0, told
    # A commit that takes the promoters' word for it.
    scenario.write_text("extends: gold-vault-as-claimed\nname: promise\npaths: 1_000\n")
    code, told = run()
    assert code == 1, told
    failed = failures(project / "found.xml")
    assert list(failed) == ["gold-vault-8-12-usd"]
    why = failed["gold-vault-8-12-usd"]
    assert why.startswith("gold-vault-8-12-usd was unlikely and is not decided.")
    assert "changed since: the scenario or its calibration." in why
    # A commit that plants a fault into the vault.
    scenario.write_text("extends: gold-vault-sober\nname: promise\npaths: 1_000\n")
    vault = project / "contracts" / "my_vault.vy"
    for old, new in FAULTS["donations"]:
        vault.write_text(vault.read_text().replace(old, new))
    code, told = run(*contract)
    assert code == 1, told
    failed = failures(project / "found.xml")
    assert failed["rules"].startswith("rules was kept and is counts donations.")
    assert "its price rises by" in failed["rules"]
    assert "changed since: the contract's code or arguments." in failed["rules"]


def failures(file):
    """Return what failed in a JUnit file, by name, with its message."""
    cases = ElementTree.parse(file).iter("testcase")
    found = ((case.get("name"), case.find("failure")) for case in cases)
    return {name: one.get("message") for name, one in found if one is not None}
