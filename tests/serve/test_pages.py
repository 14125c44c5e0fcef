"""What the pages say of a run, and how they say that something is not there."""

from __future__ import annotations

import hashlib
import json
import re
import time
from importlib.resources import files

import pandas as pd
import pytest
from served import HAZARD, HERE, at, serving

from simulator.engine.sliders import ask_at, sliders
from simulator.serve.answers import Answers
from simulator.study import Run

OWN = {"origin": HERE}


@pytest.fixture(scope="module")
def run(tiny):
    return Run.read(tiny)


def words(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def test_list__a_run__has_its_line(client, tiny):
    page = client.get(at()).text
    assert "tiny-run" in page
    assert "1 supported" in words(page)
    assert "gold-vault-sober: Gold tokens in a lending vault, on what was observed" in page


def test_list__no_run__says_how_to_make_one(tmp_path):
    with serving(tmp_path / "runs") as client:
        page = client.get(at())
    assert page.status_code == 200
    assert "holds no runs; assay run gold-vault-sober makes one, or start one below." in page.text


def test_run__as_it_is__shows_claim_path_chain_and_slider(client, run):
    page = client.get(at("run/tiny-run")).text
    assert "A &lt;b&gt;tiny&lt;/b&gt; run" in page
    assert "<b>tiny" not in page
    assert "The holder&#x27;s ounces fall by at most 5 %" in page
    assert "The run replayed it as p50 on revm: model and contracts agree" in page
    assert HAZARD in page


def test_run__picked__shows_what_was_picked(client, run):
    page = client.get(
        at("run/tiny-run"), params={"investor": "holder", "unit": "usd", "path": "17"}
    )
    assert "Path 17, day by day" in page.text
    assert "holder: what leaving pays, in dollars" in page.text
    assert "Path 17 has not been replayed" in page.text


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"claim": "nothing"}, "there is no claim nothing; there are falls-little"),
        ({"investor": "nobody"}, "there is no investor nobody; there are holder"),
        ({"path": "128"}, "there is no path '128'; there are 0 to 127"),
        ({"path": "-1"}, "there is no path '-1'; there are 0 to 127"),
        ({"path": "9" * 5_000}, "there is no path '9999"),
        ({"day": "31"}, "there is no day '31'; there are 0 to 30"),
    ],
)
def test_run__asked_for_what_is_not_there__is_a_line(client, asked, line):
    answer = client.get(at("run/tiny-run"), params=asked)
    assert answer.status_code == 404
    assert line in answer.text.replace("&#x27;", "'")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["run/nope", "nothing", "static/nope.js", "run/tiny-run/days?what=nothing",
             "run/tiny-run/answer?input=nothing&at=1", f"run/tiny-run/answer?input={HAZARD}&at=99"]
)  # fmt: skip
def test_page__unknown__is_a_line(client, path):
    answer = client.get(at(path))
    assert answer.status_code == 404
    assert answer.text.count('role="alert"') == 1


def test_days__of_a_path__are_those_of_the_study(client, run):
    page = client.get(at("run/tiny-run/days"), params={"path": "17", "what": "prices"}).text
    gold = run.path(17).prices["gold"]
    row = words(page.partition(">2026-02-19<")[2].partition("</tr>")[0])
    assert row.split()[1] == f"{gold.loc['2026-02-19']:,.6g}"
    assert page.count("<tr") == 32  # the head, and days 0 to 30


def test_chain__of_a_day__has_its_transactions_and_events(client, tiny, run):
    kept = pd.read_parquet(tiny / "replay" / "p05" / "events.parquet")
    page = client.get(at("run/tiny-run"), params={"path": "p05", "day": "3"}).text
    chain = page.partition('id="chain"')[2]
    assert (kept["step"] == 3).sum() > 0
    assert chain.count('data-label="event"') == min((kept["step"] == 3).sum(), 30)
    assert "Transactions of day 3" in chain
    assert 'data-label="gas, at least"' in chain  # it was played in process


def test_path__not_replayed__is_replayed_and_traced(client):
    asked = {"path": "17", "day": "2"}
    page = client.post(at("run/tiny-run/replay"), params=asked, headers=OWN).text
    assert "Replayed here on" in page
    assert "model and contracts agree" in page
    trace = client.get(at("run/tiny-run/trace"), params=asked).text
    assert "played again in py-evm" in trace
    assert "gold_token/metal_feed.update_answer(answer=" in trace
    none = client.get(at("run/tiny-run/answer"), params={"input": HAZARD, "value": "x"})
    assert none.status_code == 422


def test_slider__moved__is_answered_with_the_engines_own_numbers(client, run):
    (slider,) = sliders(run.scenario, run.loaded.calibration)
    stop = len(slider.stops) - 1
    began = time.perf_counter()
    answer = client.get(at("run/tiny-run/answer"), params={"input": HAZARD, "at": stop})
    assert time.perf_counter() - began < 2
    found = ask_at(run.scenario, run.loaded.calibration, slider, slider.stops[stop], 128)
    share = found.points["falls-little"].probability
    assert share < 0.9  # at ten exploits a year the holder falls; the run has 100 %
    assert f"{100 * share:.1f} %" in words(answer.text)
    assert "On all paths of the run" in answer.text  # 128 are all there are


def test_slider__where_an_event_befalls_every_path__has_its_sampling_interval(client, run):
    (slider,) = sliders(run.scenario, run.loaded.calibration)
    answer = client.get(at("run/tiny-run/answer"), params={"input": HAZARD, "value": "0"})
    found = ask_at(run.scenario, run.loaded.calibration, slider, 0.0, 128)
    assert found.points["falls-little"].probability == 1.0  # nobody is robbed
    low, high = found.interval("falls-little")
    # Clopper-Pearson of 128 of 128: the n-th root of 2.5 %
    assert (low, high) == pytest.approx((0.025 ** (1 / 128), 1.0))
    assert f"{100 * low:.1f} to 100.0 %" in words(answer.text).replace("\u00a0", " ")
    assert 'data-at="0' in answer.text
    moved = client.get(at("run/tiny-run/answer"), params={"input": HAZARD, "value": "9"})
    assert "points" in words(moved.text)


def test_slider__too_many_paths_for_a_first_answer__is_sharpened(client, run, monkeypatch):
    monkeypatch.setattr("simulator.serve.answers.FIRST_PATHS", 64)
    with serving(client.jobs._folder) as other:
        asked = {"input": HAZARD, "at": 0}
        first = other.get(at("run/tiny-run/answer"), params=asked)
        assert "on 64 paths" in words(first.text)
        again = re.search(r'hx-get="([^"]+)"', first.text)[1].replace("&amp;", "&")
        sharp = other.get(again)
        assert "on 128 paths" in words(sharp.text)
        other.get(at("run/tiny-run/answer"), params=asked)
        stale = other.get(again)  # the slider has moved on: nothing is computed for it
        assert (stale.status_code, stale.text) == (204, "")


def test_slider__moved_while_it_is_sharpened__is_not_told_of_where_it_was(run, monkeypatch):
    (slider,) = sliders(run.scenario, run.loaded.calibration)
    asked = Answers()
    _, turn = asked.quick(run, slider, 0.1)
    assert asked.sharp(run, slider, 0.1, turn).paths == 128

    def moved_meanwhile(*of):
        asked._turns[next(iter(asked._turns))] += 1
        return ask_at(*of)

    monkeypatch.setattr("simulator.serve.answers.ask_at", moved_meanwhile)
    assert asked.sharp(run, slider, 0.1, turn) is None


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e999", "many", ""])
def test_slider__at_what_the_scenario_cannot_have__is_a_line(client, value):
    answer = client.get(at("run/tiny-run/answer"), params={"input": HAZARD, "value": value})
    assert answer.status_code == 422
    assert f"{HAZARD} is" in answer.text


def test_api__runs_verdicts_measures_and_a_path__are_the_studys(client, tiny, run):
    (one,) = client.get(at("api/runs")).json()
    assert (one["run"], one["finished"], one["paths"]) == ("tiny-run", True, 128)
    whole = client.get(at("api/runs/tiny-run")).json()
    assert whole["checksum"] == run.simulation.checksum
    verdicts = client.get(at("api/runs/tiny-run/verdicts")).json()
    assert verdicts == json.loads((tiny / "verdicts.json").read_text())
    measures = pd.DataFrame(**client.get(at("api/runs/tiny-run/measures/holder")).json())
    assert measures["final_usd"].to_numpy() == pytest.approx(run.measures("holder")["final_usd"])
    told = client.get(at("api/runs/tiny-run/path/17")).json()
    ours = run.path(17)
    prices = pd.DataFrame(**told["prices"])
    assert prices["gold"].to_numpy() == pytest.approx(ours.prices["gold"].to_numpy())
    assert "holder.usd" in told["investors"]["columns"]
    assert told["prices"]["index"][0].startswith("2026-01-20")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("api/runs/nope", "has no run nope"),
        ("api/runs/tiny-run/measures/nobody", "nobody: "),
        ("api/runs/tiny-run/path/128", "there is no path '128'; there are 0 to 127"),
        ("api/runs/tiny-run/path/x", "there is no path 'x'"),
        ("api/nothing", "Not Found"),
    ],
)
def test_api__unknown__is_an_error_as_json(client, path, line):
    answer = client.get(at(path))
    assert answer.status_code == 404
    assert line in answer.json()["error"]


def test_api__written_to__is_refused(client):
    for method in ("post", "put", "delete"):
        answer = getattr(client, method)(at("api/runs"), headers={**OWN, "content-length": "0"})
        assert answer.status_code == 405


def test_server__as_a_whole__is_small_and_calculates_nothing():
    package = files("simulator.serve")
    modules = [file for file in package.iterdir() if file.name.endswith(".py")]
    command = files("simulator.cli")
    modules += [command / "serving.py", command / "commands" / "serve.py"]
    sources = [module.read_text(encoding="utf-8") for module in modules]
    assert sum(source.count("\n") for source in sources) < 1_500
    assert not re.findall(r"^(?:from|import) (?:numpy|scipy|numba)", "\n".join(sources), re.M)


def test_htmx__vendored__is_the_file_that_was_published():
    static = files("simulator.serve") / "static"
    told = json.loads((static / "htmx.json").read_text())
    digest = hashlib.sha256((static / told["file"]).read_bytes()).hexdigest()
    assert digest == told["sha256"]
    assert f'version:"{told["version"]}"' in (static / told["file"]).read_text()
    assert told["licence"] == "0BSD"
    assert (
        "Permission to use, copy, modify, and/or distribute"
        in (static / "htmx.LICENSE").read_text()
    )
