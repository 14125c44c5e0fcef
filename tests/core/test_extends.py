"""A scenario that extends another: merged value by value, faults at the file that wrote them."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.scenario import load_scenario


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


def faults(path):
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    return caught.value.problems


def test_extends__changes_what_it_says_and_keeps_the_rest(tmp_path):
    own = written(
        tmp_path,
        "own.yaml",
        "extends: gold-vault-sober\nname: own\n"
        "instruments:\n  gold_vault:\n    exploit_hazard: {value: 0.2, source: me, mark: claimed}\n"
        "    borrowers: {demand_share: 0.4}\n"
        "claims:\n  gold-vault-8-12-usd: null\n",
    )
    found, base = load_scenario(own), load_scenario("gold-vault-sober")
    vault, other = found.scenario.instruments["gold_vault"], base.scenario.instruments["gold_vault"]
    assert (found.scenario.name, vault.exploit_hazard, vault.borrowers.demand_share) == (
        "own",
        0.2,
        0.4,
    )
    assert vault.emissions == other.emissions
    assert vault.borrowers.reservation_rate == other.borrowers.reservation_rate
    assert list(found.scenario.claims) == ["gold-vault-8-12"]
    origin = found.provenance["instruments.gold_vault.exploit_hazard"]
    assert (origin.source, origin.mark) == ("me", "claimed")
    kept = "instruments.gold_pool.volume.daily_usd"
    assert found.provenance[kept] == base.provenance[kept]
    # What was replaced takes no origin along.
    assert "instruments.gold_vault.borrowers.demand_share" not in found.provenance


def test_extends__in_a_chain__the_nearest_file_wins(tmp_path):
    written(
        tmp_path, "middle.yaml", "extends: gold-vault-sober\nname: middle\npaths: 256\nseed: 5\n"
    )
    own = written(tmp_path, "own.yaml", "extends: middle.yaml\nname: own\nseed: 6\n")
    scenario = load_scenario(own).scenario
    assert (scenario.name, scenario.paths, scenario.seed) == ("own", 256, 6)


def test_fault__stands_at_the_file_that_wrote_it(tmp_path):
    base = written(tmp_path, "base.yaml", "extends: gold-vault-sober\nname: base\npaths: 0\n")
    own = written(tmp_path, "own.yaml", "extends: base\nname: own\nseed: -1\n")
    found = {(p.file, p.line, p.field) for p in faults(own)}
    assert found == {(str(base), 3, "paths"), (str(own), 3, "seed")}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("extends: own.yaml\n", "must not lead back"),
        ("extends: gold-vault-sobre\n", "did you mean gold-vault-sober?"),
        ("extends: 5\n", "must be the name of a scenario"),
    ],
)
def test_extends__what_cannot_be__is_refused_with_its_line(tmp_path, text, rule):
    own = written(tmp_path, "own.yaml", text)
    (problem,) = faults(own)
    assert (problem.file, problem.line, problem.field) == (str(own), 1, "extends")
    assert rule in problem.rule


def test_extends__each_other__is_refused(tmp_path):
    written(tmp_path, "other.yaml", "extends: own.yaml\n")
    own = written(tmp_path, "own.yaml", "extends: other.yaml\n")
    (problem,) = faults(own)
    assert "must not lead back" in problem.rule


def test_extends__several__each_lies_over_the_one_before(tmp_path):
    written(tmp_path, "first.yaml", "extends: gold-vault-sober\nname: first\npaths: 256\nseed: 5\n")
    written(tmp_path, "second.yaml", "seed: 6\ninstruments: {gold_vault: {run_share: 0.5}}\n")
    own = written(tmp_path, "own.yaml", "extends: [first, second]\nname: own\n")
    scenario = load_scenario(own).scenario
    assert (scenario.name, scenario.paths, scenario.seed) == ("own", 256, 6)
    assert scenario.instruments["gold_vault"].run_share == 0.5
    assert scenario.instruments["gold_vault"].idle_share == 0.05
