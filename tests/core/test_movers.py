"""What moved a claim over the parameter sets, against scipy; sensitivities kept and read back."""

import json

import numpy as np
import pandas as pd
import pytest
import questions
from scipy import stats

from simulator.engine import by_chance, moved_by, sensitivity
from simulator.engine.folder import RunFolder
from simulator.engine.sensitivities import read_sensitivities, write_sensitivity
from simulator.errors import InputError


def table(n=50, seed=3):
    rng = np.random.default_rng(seed)
    drift, silver, volatility = rng.normal(size=(3, n))
    return pd.DataFrame(
        {
            "set": np.arange(n),
            "claim": "rises",
            # Many sets tie at 0 %, as an event's shares do.
            "probability": np.maximum(0.0, np.round(drift + 0.5 * volatility, 1)),
            "estimate": np.nan,
            "drift.gold": drift,
            "drift.silver": silver,
            "volatility.gold": volatility,
            "volatility.copper": 0.2,
        }
    )


def test_movers__with_ties__are_scipys_rank_correlations_the_largest_first():
    rows = table()
    found = moved_by(rows, "probability")
    expected = {
        name: stats.spearmanr(rows[name], rows["probability"]).statistic
        for name in ("drift.gold", "drift.silver", "volatility.gold")
    }
    assert {mover.figure: mover.correlation for mover in found} == pytest.approx(expected)
    sizes = [abs(mover.correlation) for mover in found]
    assert sizes == sorted(sizes, reverse=True)
    assert found[0].figure == "drift.gold"
    # A claim that no set moves has none.
    assert moved_by(rows.assign(probability=0.0), "probability") == ()


def test_by_chance__covers_the_largest_of_many_at_its_rate():
    rng = np.random.default_rng(5)
    figures, sets, tries = 20, 50, 400
    largest = []
    for _ in range(tries):
        ranks = stats.rankdata(rng.normal(size=(figures + 1, sets)), axis=1)
        largest.append(np.abs(np.corrcoef(ranks)[0, 1:]).max())
    beyond = np.sum(np.array(largest) > by_chance(sets, figures))
    # 5 % of 400 is 20; four standard deviations of a binomial are 17.
    assert 3 <= beyond <= 37
    assert by_chance(2, 20) == 1.0
    assert by_chance(50, 1) < by_chance(50, 20) < by_chance(20, 20)


def test_sensitivity__kept_in_a_run__is_read_back_whole(tmp_path):
    loaded = questions.token(tmp_path, paths=128)
    found = sensitivity(loaded.scenario, loaded.calibration, "rises")
    folder = RunFolder(tmp_path)
    file = write_sensitivity(folder, found)
    text = file.read_bytes()
    assert read_sensitivities(tmp_path, ("never", "rises")) == (found,)
    write_sensitivity(folder, found)
    assert file.read_bytes() == text
    file.write_text("{}")
    with pytest.raises(InputError, match=r"rises\.json: is no sensitivity that Assay wrote"):
        read_sensitivities(tmp_path, ("rises",))
    data = json.loads(text)
    data["effects"][0]["low"] = 3
    file.write_text(json.dumps(data))
    with pytest.raises(InputError, match="is no sensitivity"):
        read_sensitivities(tmp_path, ("rises",))
