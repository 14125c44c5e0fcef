"""The macro section of a calibration: its defaults, its marks, its refusals."""

import pytest

from simulator.errors import InputError
from simulator.market.calibration import write_calibration
from simulator.scenario.calibration import load_calibration
from simulator.scenario.files import shipped_folder
from simulator.scenario.macro import REGIMES, MacroCalibration, Sourced

METALS = shipped_folder() / "calibrations" / "metals-2026-01.yaml"


def figures(value):
    """Yield every figure of a section."""
    if isinstance(value, Sourced):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from figures(inner)
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from figures(getattr(value, name))


def written(tmp_path, old, new):
    """Return a file of the defaults with one text replaced."""
    path = tmp_path / "own.yaml"
    metals = load_calibration(METALS)
    write_calibration(metals.model_copy(update={"macro": MacroCalibration()}), path)
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    return path


def test_macro__file_without_the_section__has_the_defaults_and_keeps_its_bytes(tmp_path):
    metals = load_calibration(METALS)
    assert metals.macro is None
    assert metals.macro_figures == MacroCalibration()
    assert "macro" not in metals.model_dump()
    write_calibration(metals, tmp_path / "again.yaml")
    assert (tmp_path / "again.yaml").read_text() == METALS.read_text()


def test_macro__written_and_read_again__is_equal(tmp_path):
    path = written(tmp_path, "start: neutral", "start: neutral")
    assert load_calibration(path).macro == MacroCalibration()


def test_macro__every_figure_says_where_it_is_from():
    found = list(figures(MacroCalibration()))
    assert len(found) > 90
    for figure in found:
        assert figure.source
        # what was measured names what was measured; a choice cannot have a window
        assert (figure.mark == "assumption") == (figure.source == "own choice") or figure.window


def test_macro__figures_agree_with_each_other():
    macro = MacroCalibration()
    banks = macro.central_banks
    assert banks.purchases.mean.value - banks.sales.mean.value == 666
    assert banks.purchases.start.value - banks.sales.start.value == 863
    silver = macro.silver
    demand = [silver.industrial, silver.jewellery, silver.investment]
    total = sum(part.level.value for part in demand)
    assert total - silver.supply.level.value == pytest.approx(164)  # 820 in five years
    assert silver.industrial.level.value / total > 0.5
    assert set(REGIMES) == {"easing", "neutral", "limited", "stress"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("speed:\n      value: 0.28", "speed:\n      value: 0.0", "must be above 0"),
        ("source: own choice", "source: ''", "must not be empty"),
        ("start: neutral", "start: calm", "must be one of"),
        ("easing:\n          value: 0.35", "easing:\n          value: 0.45", "add up to 1"),
    ],
)
def test_macro__bad_figure__refused_with_its_line(tmp_path, old, new, rule):
    path = written(tmp_path, old, new)
    with pytest.raises(InputError) as caught:
        load_calibration(path)
    (problem,) = caught.value.problems
    assert problem.line is not None
    assert problem.field.startswith("macro.")
    assert rule in problem.rule
