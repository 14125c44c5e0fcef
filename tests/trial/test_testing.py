"""Somebody else's project tests its vault with our wheel, outside of here, as the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
    code = re.search(r"(    # tests/test_my_vault\.py\n(?:    .*\n|\n)+)", PAGE)
    lines = [line[4:] for line in code.group(1).splitlines()]
    (tmp_path / "tests" / "test_my_vault.py").write_text("\n".join(lines))
    return tmp_path


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
    assert "it counts donations: its price rises by" in told


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
