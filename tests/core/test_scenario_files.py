"""Scenario files: overrides, the calibration they name, and the way back to YAML."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from scenario_text import SOBER, changed, line_of, one_fault, refused, written

from simulator.errors import UsageError
from simulator.scenario import LoadedScenario, load_scenario, shipped_scenarios
from simulator.scenario.files import assumptions, find_scenario, shipped_folder, to_yaml
from simulator.scenario.loader import MARKS

SHIPPED = [path.stem for path in shipped_scenarios()]
VAULT = "instruments.gold_vault"


def test_set__values__reach_groups_lists_and_sections_that_the_file_leaves_out(tmp_path):
    begin, end = SOBER.index("gas:"), SOBER.index("investors:")
    loaded = load_scenario(
        written(tmp_path, SOBER[:begin] + SOBER[end:]),
        overrides=[
            "paths=1_000",
            "gas.price_gwei=2",
            "claims.gold-vault-8-12.conditions[0].at_least=0.09",
            "market.model=gbm",
            "start=2026-02-01",
            f"{VAULT}.exploit_hazard={{value: 0.2, source: a table, mark: secondary}}",
        ],
    )
    scenario = loaded.scenario
    assert scenario.paths == 1_000
    assert scenario.gas.price_gwei == 2.0
    assert scenario.claims["gold-vault-8-12"].conditions[0].at_least == 0.09
    assert scenario.market.model == "gbm"
    assert scenario.start.isoformat() == "2026-02-01"
    assert scenario.instruments["gold_vault"].exploit_hazard == 0.2
    assert loaded.provenance["gas.price_gwei"].source == "--set"
    assert loaded.provenance["gas.price_gwei"].mark == "assumption"
    assert loaded.provenance[f"{VAULT}.exploit_hazard"].mark == "secondary"


def test_set__section__drops_the_origins_of_what_it_replaces(tmp_path):
    path = written(tmp_path, SOBER)
    before = load_scenario(path).provenance
    assert f"{VAULT}.emissions.decay" in before
    after = load_scenario(path, overrides=[f"{VAULT}.emissions={{price_usd: 2.0}}"])
    assert after.scenario.instruments["gold_vault"].emissions.decay == 0.0
    assert f"{VAULT}.emissions.decay" not in after.provenance
    assert after.provenance[f"{VAULT}.emissions.price_usd"].source == "--set"
    kept = {name for name in before if not name.startswith(f"{VAULT}.emissions")}
    assert kept <= set(after.provenance)


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("paths=0", "paths is 0; must be 1 to 10000000 (Number of simulated paths)"),
        (
            "paths=",
            "paths is empty; must be a whole number, 1 to 10000000 (Number of simulated paths)",
        ),
        (
            "paths=[1",
            "paths is '[1'; must be a whole number, 1 to 10000000 (Number of simulated paths)",
        ),
        ("horizon_days=0", "horizon_days is 0; must be 30 to 3660 (Steps of one calendar day)"),
        (
            "a.b=3",
            "a: unknown key; known keys: name, title, start, horizon_days, paths, seed, market, "
            "shocks, instruments, gas, investors, claims, replay",
        ),
        (
            f"{VAULT}.idle_shar=0.2",
            f"{VAULT}.idle_shar is 0.2; unknown key; did you mean 'idle_share'?",
        ),
        (
            f"{VAULT}.idle_share=8 %",
            f"{VAULT}.idle_share is '8 %'; must be a number, 0 to 1 "
            "(1 = 100 %); 8 % is written 0.08",
        ),
        (
            f"{VAULT}.idle_share={{value: 2, source: x}}",
            f"{VAULT}.idle_share is 2; must be 0 to 1 (1 = 100 %)",
        ),
        (
            f"{VAULT}.idle_share={{value: 0.2, mark: x}}",
            f"{VAULT}.idle_share.mark is 'x'; must be one of "
            "observed, secondary, claimed, assumption",
        ),
        (
            f"{VAULT}.lending={{kink: 80}}",
            f"{VAULT}.lending.kink is 80; must be above 0 and below 1 (1 = 100 %)",
        ),
        (
            "claims.gold-vault-8-12.conditions[1].at_most=-1",
            "claims.gold-vault-8-12.conditions[1].at_most is -1; must be at least 0: "
            "a drawdown is never negative",
        ),
    ],
)
def test_set__bad_value__is_refused_as_the_command_lines(tmp_path, override, fault):
    assert refused(tmp_path, SOBER, overrides=[override]) == [f"--set: {fault}"]


def test_set__bad_value_beside_a_bad_file__lists_both(tmp_path):
    text = changed("idle_share: 0.05", "idle_share: 3")
    found = refused(tmp_path, text, overrides=["paths=0", "seed=-1"])
    assert [message.split(" is ")[0] for message in found] == [
        "--set: paths",
        "--set: seed",
        f"own.yaml:{line_of(text, 'idle_share: 3')}: {VAULT}.idle_share",
    ]


def test_set__good_value__heals_the_files_bad_one(tmp_path):
    path = written(tmp_path, changed("horizon_days: 365", "horizon_days: 0"))
    assert load_scenario(path, overrides=["horizon_days=60"]).scenario.horizon_days == 60


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("paths", "must be PATH=VALUE, as in paths=1_000"),
        ("=3", "must be PATH=VALUE"),
        ("a..b=3", "must be PATH=VALUE"),
        (".=3", "must be PATH=VALUE"),
        ("claims[x]=3", "must be PATH=VALUE"),
        ("paths.a=3", "paths is a value or a list, not a group"),
        ("claims.gold-vault-8-12.conditions.at_most=3", "is a value or a list, not a group"),
        ("claims.gold-vault-8-12.conditions[9].at_most=3", "conditions[9] does not exist"),
        ("market[0]=3", "market[0] does not exist"),
    ],
)
def test_set__path_that_leads_nowhere__is_a_usage_error(tmp_path, override, reason):
    with pytest.raises(UsageError) as caught:
        load_scenario(written(tmp_path, SOBER), overrides=[override])
    assert str(caught.value).startswith(f"--set {override}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("ready", shipped_scenarios(), ids=lambda ready: ready.stem)
def test_find__ready_name__with_and_without_ending_and_folder(ready):
    name, within = ready.stem, ready.relative_to(shipped_folder()).with_suffix("")
    for written_as in (name, f"{name}.yaml", f"scenarios/{within}", f"scenarios/{within}.yaml"):
        found = find_scenario(written_as)
        assert found.resolve() == ready.resolve()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gold-vault-sobre", "did you mean gold-vault-sober?"),
        ("gold-vault-as-claimd.yaml", "did you mean gold-vault-as-claimed?"),
        ("platinum", f"ready ones: {', '.join(SHIPPED)}"),
        ("nowhere/platinum.yaml", "ready ones: "),
        ("x" * 5000, "ready ones: "),
        ("", "ready ones: "),
    ],
)
def test_find__unknown_name__suggests_the_nearest(name, hint):
    with pytest.raises(UsageError) as caught:
        find_scenario(name)
    assert str(caught.value).startswith(f"no scenario {name}; ")
    assert hint in str(caught.value)


def test_find__folder__is_no_scenario(tmp_path):
    with pytest.raises(UsageError, match="no scenario"):
        load_scenario(tmp_path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("metals-2026-02", "did you mean metals-2026-01?"),
        ("none/metals-2026-1.yaml", "did you mean metals-2026-01?"),
        ("x" * 5000, "shipped: hard-assets-2026-01, metals-2026-01"),
    ],
)
def test_calibration__that_does_not_exist__is_refused_where_it_is_named(tmp_path, name, hint):
    rule = f"must be a calibration file or a shipped calibration; {hint}"
    fault = one_fault(tmp_path, "calibration: metals-2026-01", f"calibration: {name}")
    assert fault.startswith(f"market.calibration is '{name[:10]}")
    assert fault.endswith(rule)
    (message,) = refused(tmp_path, SOBER, calibration=name)
    assert message == f"--calibration: market.calibration is '{name}'; {rule}"


def test_calibration__a_folder__is_refused(tmp_path):
    (message,) = refused(tmp_path, SOBER, calibration=str(tmp_path))
    assert message.startswith("--calibration: market.calibration is ")


def write_calibration_without(asset, path):
    """Write the shipped calibration without an asset and its correlations."""
    shipped = shipped_folder() / "calibrations" / "metals-2026-01.yaml"
    figures = YAML(typ="safe").load(shipped)
    del figures["assets"][asset]
    pairs = figures["correlations"]
    figures["correlations"] = [pair for pair in pairs if asset not in pair["between"]]
    YAML(typ="safe").dump(figures, path)


def test_calibration__lacks_an_asset__names_both_and_the_line(tmp_path):
    write_calibration_without("copper", tmp_path / "two.yaml")
    text = changed("calibration: metals-2026-01", "calibration: two.yaml")
    assert refused(tmp_path, text) == [
        f"own.yaml:{line_of(text, '    copper:')}: market.assets.copper: is not in the calibration "
        "metals-2026-01 (two.yaml), which has gold, silver"
    ]
    cut = text.index("    copper:\n")
    fewer = text[:cut] + text[text.index("\ninstruments:") :]
    assert tuple(load_scenario(written(tmp_path, fewer)).scenario.market.assets) == (
        "gold",
        "silver",
    )


def test_calibration__broken_file__names_its_own_lines(tmp_path):
    (tmp_path / "broken.yaml").write_text("name: x\nassets: 3\n", encoding="utf-8")
    found = refused(tmp_path, SOBER, calibration=str(tmp_path / "broken.yaml"))
    assert found[-1] == (
        "broken.yaml:2: assets is 3; must be a mapping of keys to values (Figures by asset)"
    )
    assert all(message.startswith("broken.yaml:") for message in found)
    assert {message.split(": ")[1] for message in found[:-1]} == {
        "as_of",
        "correlations",
        "joint_degrees_of_freedom",
        "source",
    }


def test_calibration__named_on_the_command_line__replaces_the_scenarios(tmp_path):
    shipped = shipped_folder() / "calibrations" / "metals-2026-01.yaml"
    own = tmp_path / "own-calibration.yaml"
    text = shipped.read_text(encoding="utf-8").replace("name: metals-2026-01", "name: mine", 1)
    own.write_text(text, encoding="utf-8")
    loaded = load_scenario(written(tmp_path, SOBER), calibration=str(own))
    assert loaded.calibration.name == "mine"
    assert loaded.scenario.market.calibration == str(own)


def test_calibration__given_for_a_file_without_market__is_refused_for_the_file(tmp_path):
    begin, end = SOBER.index("market:"), SOBER.index("instruments:")
    text = f"{SOBER[:begin]}market: 3\n{SOBER[end:]}"
    assert refused(tmp_path, text, calibration="metals-2026-01") == [
        f"own.yaml:{line_of(text, 'market: 3')}: market is 3; must be a mapping of keys to values "
        "(Prices of the metals)"
    ]


def test_calibration__name_that_reads_like_a_number__is_a_name(tmp_path):
    (message,) = refused(tmp_path, SOBER, calibration="2026")
    assert message.startswith("--calibration: market.calibration is '2026'; must be a calibration")


def again(tmp_path, loaded: LoadedScenario) -> LoadedScenario:
    """Write a scenario as YAML and load it."""
    path = tmp_path / "again.yaml"
    path.write_text(to_yaml(loaded.scenario, loaded.provenance), encoding="utf-8")
    return load_scenario(path)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("gold-vault")])
@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("paths=64", "title=yes", "name=5-a", f"{VAULT}.exploit_hazard=1e-7"),
        (f"{VAULT}.borrowers={{ltv_ladder: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}}",),
        (
            f"{VAULT}.borrowers.ltv_ladder={{value: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], "
            "source: a table, mark: observed, date: 2026-01}",
        ),
        (
            "claims.gold-vault-8-12.conditions[0].at_least={value: 0.08, source: an article, "
            "mark: claimed}",
        ),
        ("market.assets.gold={drift: 0.01, volatility: 0.3, price: 5000}",),
        ("claims.gold-vault-8-12.says='a: \"b\" # c — é'",),
    ],
)
def test_round_trip__resolved_scenario__is_equal_with_the_same_origins(tmp_path, name, overrides):
    loaded = load_scenario(name, overrides=overrides)
    back = again(tmp_path, loaded)
    assert back.scenario == loaded.scenario
    assert back.provenance == loaded.provenance
    assert to_yaml(back.scenario, back.provenance) == to_yaml(loaded.scenario, loaded.provenance)


def without_origins(data):
    """Return parsed YAML with figures as their values."""
    if isinstance(data, dict):
        if "value" in data:
            return without_origins(data["value"])
        return {key: without_origins(item) for key, item in data.items()}
    return [without_origins(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize("name", SHIPPED)
def test_to_yaml__writes_every_default_out(name):
    loaded = load_scenario(name)
    parsed = YAML(typ="safe").load(to_yaml(loaded.scenario, loaded.provenance))
    whole = loaded.scenario.model_dump(exclude_none=True)
    assert without_origins(parsed) == json.loads(json.dumps(whole, default=str)) | {
        "start": loaded.scenario.start
    }
    assert "illiquidity_haircut_bps" not in SOBER
    if "gold_vault" in parsed["instruments"]:
        assert parsed["instruments"]["gold_vault"]["illiquidity_haircut_bps"] == 500


numbers = st.floats(1e-9, 1.0, exclude_max=True)


@settings(max_examples=15, deadline=None)
@given(
    hazard=numbers,
    supply=st.floats(1e-3, 1e12),
    source=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20
    ),
    mark=st.sampled_from(["claimed", "assumption"]),
)
def test_round_trip__any_figure_and_source__comes_back(
    tmp_path_factory, hazard, supply, source, mark
):
    loaded = load_scenario("gold-vault-sober")
    token = loaded.scenario.instruments["gold_token"]
    changed_token = token.model_copy(update={"shortfall_hazard": hazard, "supply_ounces": supply})
    instruments = {**loaded.scenario.instruments, "gold_token": changed_token}
    scenario = loaded.scenario.model_copy(update={"instruments": instruments})
    origin = loaded.provenance["instruments.gold_token.shortfall_hazard"]
    name = "instruments.gold_token.shortfall_hazard"
    provenance = dict(loaded.provenance) | {name: type(origin)(source, mark, "2026", source)}
    folder = tmp_path_factory.mktemp("again")
    back = again(folder, LoadedScenario(scenario, loaded.calibration, provenance, ""))
    assert back.scenario == scenario
    assert back.provenance == provenance


def numeric_leaves(value, place=""):
    """Yield the dotted place of every number in dumped data; a list of numbers is one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numeric_leaves(item, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        if value and all(isinstance(item, int | float) for item in value):
            yield place
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place


@pytest.mark.parametrize("name", SHIPPED)
def test_assumptions__list_every_number_of_the_world_with_its_mark(name):
    loaded = load_scenario(name)
    listed = assumptions(loaded.scenario, loaded.provenance)
    dumped = loaded.scenario.model_dump()
    world = {group: dumped[group] for group in ("market", "instruments", "gas", "investors")}
    assert [entry.field for entry in listed] == list(numeric_leaves(world))
    assert all(entry.mark in MARKS and entry.description for entry in listed)
    for entry in listed:
        origin = loaded.provenance.get(entry.field)
        expected = (
            ("assumption", "", "") if origin is None else (origin.mark, origin.source, origin.note)
        )
        assert (entry.mark, entry.source, entry.note) == expected


def test_assumptions__show_values_in_full():
    loaded = load_scenario("gold-vault-sober", overrides=[f"{VAULT}.crowd_ounces=1234567.25"])
    shown = {entry.field: entry.value for entry in assumptions(loaded.scenario, loaded.provenance)}
    assert shown[f"{VAULT}.crowd_ounces"] == "1234567.25"
    assert shown[f"{VAULT}.emissions.float_tokens"] == "10000000"
    assert shown[f"{VAULT}.borrowers.ltv_ladder"] == "0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8"


def test_origins__of_the_shipped_scenarios__belong_to_fields_that_exist():
    for name in SHIPPED:
        loaded = load_scenario(name)
        known = set(numeric_leaves(loaded.scenario.model_dump()))
        assert set(loaded.provenance) <= known
