"""A run so small that it is made for the tests, and a server over its folder."""

from __future__ import annotations

from contextlib import closing, contextmanager

from click.testing import CliRunner
from starlette.testclient import TestClient

from simulator.cli import main
from simulator.serve.app import application
from simulator.serve.jobs import Jobs
from simulator.serve.runs import Runs

PORT = 8765
TOKEN = "a-token-that-nobody-can-guess"
HERE = f"http://127.0.0.1:{PORT}"
HAZARD = "instruments.gold_vault.exploit_hazard"
SCENARIO = f"""extends: gold-vault-sober
name: tiny
title: A <b>tiny</b> run
paths: 128
horizon_days: 30
claims:
  gold-vault-8-12: null
  gold-vault-8-12-usd: null
  falls-little:
    says: The holder's ounces fall by at most 5 %
    subject: holder
    conditions:
      - {{measure: drawdown, unit: ounces, at_most: 0.05}}
    break_even: [{HAZARD}]
"""


def make_run(folder):
    """Run the scenario into a folder of runs, replayed in process, and return the run's name."""
    file = folder / "tiny.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    sets = ("--parameter-sets", "0", "--assumption-sets", "0")
    out = folder / "runs" / "tiny-run"
    arguments = ["run", str(file), "--chain", "revm", *sets, "--out", str(out)]
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 0, outcome.output
    return out


@contextmanager
def serving(folder):
    """Yield a client whose addresses begin with the token, and its server's jobs."""
    with closing(Jobs(folder)) as jobs:
        client = TestClient(application(Runs(folder), jobs, TOKEN, PORT), base_url=HERE)
        client.jobs = jobs
        yield client


def at(path=""):
    """Return a path with the token in front."""
    return f"/{TOKEN}/{path}"


def reports(client):
    """Return the beginning of the addresses of reports, which has a token of its own."""
    return next(one for one in client.app._apps if one.startswith("/report/"))
