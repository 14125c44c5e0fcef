"""The section `instruments`: labels and kinds, and each refusal with its line and remedy."""

import pytest
from scenario_text import SOBER, changed, line_of, refused, written

from simulator.errors import InputError, UsageError
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.instruments.holding.terms import HoldingTerms
from simulator.scenario import load_scenario
from simulator.scenario.files import to_yaml

TOKEN = "  gold_token:\n"
FUND = "  fund: {kind: holding, what: gold_etf}\n"


def with_lines(*lines):
    """Return the sober scenario with lines at the head of its instruments."""
    return changed(TOKEN, "".join(f"  {line}\n" for line in lines) + TOKEN)


def test_kind__is_left_out_where_the_label_says_it(tmp_path):
    text = with_lines("fund: {kind: holding, what: gold_etf}", "second: {kind: gold_vault}")
    found = load_scenario(written(tmp_path, text)).scenario.instruments
    assert [terms.kind for terms in found.values()] == [
        *("holding", "gold_vault", "gold_token", "gold_pool", "gold_vault"),
    ]
    assert isinstance(found["fund"], HoldingTerms)
    assert isinstance(found["second"], GoldVaultTerms)
    assert found["second"].token == "gold_token"


def test_kinds__are_written_out_in_a_resolved_scenario_that_reads_back(tmp_path):
    loaded = load_scenario(written(tmp_path, with_lines("fund: {kind: holding, what: gold_etf}")))
    text = to_yaml(loaded.scenario, loaded.provenance)
    assert "  gold_vault:\n    kind: gold_vault\n" in text
    assert load_scenario(written(tmp_path, text)).scenario == loaded.scenario


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "gold_valt: {}",
            "instruments.gold_valt.kind: is required, unless the label is a kind: gold_token,",
        ),
        (
            "mine: {kind: gold_valt}",
            "instruments.mine.kind is 'gold_valt'; must be a kind of instrument; did you mean "
            "gold_vault or gold_pool or gold_token?",
        ),
        (
            "deposit: {kind: acme_warehous}",
            "instruments.deposit.kind is 'acme_warehous'; must be a kind of instrument; did you "
            "mean acme_warehouse?",
        ),
        ("mine: {kind: 7}", "instruments.mine.kind: must be text, a kind of instrument: gold_tok"),
        ("mine: {kind: [a]}", "instruments.mine.kind: must be text, a kind of instrument: gold_"),
        (
            "deposit: {kind: acme_warehouse}",
            "instruments.deposit.kind is 'acme_warehouse'; is brought by package acme-warehouse",
        ),
        (
            "price_cover: {kind: holding, what: gold_etf}",
            "instruments.price_cover: is the name of another kind; a holding needs a label of its",
        ),
        (
            "cash: {kind: holding, what: gold_etf}",
            "instruments.cash: is a name that Assay keeps for itself",
        ),
        (
            "desk: {kind: holding, what: gold_etf}",
            "instruments.desk: is a name that Assay keeps for itself",
        ),
        (
            "second: {kind: gold_vault, token: gold_vault}",
            "instruments.second.token is 'gold_vault'; must be a gold token; gold_vault is a gold",
        ),
        (
            "second: {kind: gold_vault, token: nowhere}",
            "instruments.second.token: needs nowhere beside it: that is what it takes",
        ),
        (
            "second: {kind: gold_vault, token: second}",
            "instruments.second: must not stand on itself: second needs second",
        ),
        (
            "second: {kind: gold_vault, lending: {kinc: 0.5}}",
            "instruments.second.lending.kinc is 0.5; unknown key; did you mean 'kink'?",
        ),
        (
            "second: {kind: gold_vault, run_share: 2}",
            "instruments.second.run_share is 2; must be 0 to 1 (1 = 100 %)",
        ),
        ("second: 5", "instruments.second is 5; must be a mapping of keys to values"),
    ],
)
def test_label__that_is_wrong__is_refused_with_its_line(tmp_path, line, fault):
    text = with_lines(line)
    (message,) = refused(tmp_path, text)
    assert message.startswith(f"own.yaml:{line_of(text, f'  {line}')}: {fault}")


def test_label__that_stands_twice__is_refused_at_the_second(tmp_path):
    text = with_lines("fund: {kind: holding, what: gold_etf}", "fund: {kind: gold_vault}")
    first, second = (n for n, x in enumerate(text.splitlines(), 1) if x.startswith("  fund"))
    expected = f"own.yaml:{second}: instruments.fund: stands twice; it is on line {first} already"
    assert refused(tmp_path, text) == [expected]


def test_label__that_another_instruments_position_has__is_refused():
    """A cover's miner is held under the label with `-miner` behind it."""
    taken = "instruments.copper-cover-miner={kind: holding, what: copper_miner_etf}"
    assets = "market.assets.copper_miners={drift: 0.07}"
    with pytest.raises(InputError) as caught:
        load_scenario("copper-cover", overrides=[taken, assets])
    words = "is the name of another instrument: copper-cover-miner"
    assert f"instruments.copper-cover: {words}" in str(caught.value)


# -- the form of old ---------------------------------------------------------------------------


OLD = """\
  mining_sto:
    my_mine: {mine: {grade: 0.007}, stage: {stage: producing}}
    other: null
  holding:
    safe: {kind: physical_gold}
"""


def test_sections_by_kind__are_refused_each_with_the_line_as_it_would_be_right(tmp_path):
    text = changed(TOKEN, OLD + TOKEN)
    begins = "sections by kind are read no more: write"
    assert refused(tmp_path, text) == [
        f"own.yaml:{line_of(text, '    my_mine')}: instruments.mining_sto.my_mine: {begins} "
        "`my_mine: {kind: mining_sto, ...}` directly under instruments",
        f"own.yaml:{line_of(text, '    other')}: instruments.mining_sto.other: {begins} "
        "`other: null` directly under instruments",
        f"own.yaml:{line_of(text, '    safe')}: instruments.holding.safe: {begins} "
        "`safe: {kind: holding, what: physical_gold, ...}` directly under instruments",
    ]


def test_section_by_kind__over_a_label_of_that_kind__is_refused_with_the_line_as_it_would_be_right(
    tmp_path,
):
    """Where `extends` joins the section of old with a label of today, both are one mapping."""
    text = "extends: gold-vault-sober\ninstruments:\n  gold_vault:\n    mine: {token: gold_token}\n"
    assert refused(tmp_path, text) == [
        "own.yaml:4: instruments.gold_vault.mine: sections by kind are read no more: write "
        "`mine: {kind: gold_vault, ...}` directly under instruments"
    ]


def test_key__that_no_term_has__is_not_taken_for_a_label_of_old(tmp_path):
    text = "extends: gold-vault-sober\ninstruments:\n  gold_vault: {lendng: {kink: 0.5}}\n"
    assert refused(tmp_path, text) == [
        "own.yaml:3: instruments.gold_vault.lendng: unknown key; did you mean 'lending'?"
    ]


def test_set__of_the_old_form__is_refused_as_the_file_is():
    with pytest.raises(InputError) as caught:
        load_scenario("copper-sto", overrides=["instruments.mining_sto.producing_sto.x=0.01"])
    assert "--set: instruments.mining_sto.producing_sto: sections by kind" in str(caught.value)


def test_break_even__of_the_old_form__is_refused_with_the_name_of_today():
    old = "instruments.mining_sto.producing_sto.mine.grade"
    with pytest.raises(InputError) as caught:
        load_scenario("copper-sto", overrides=[f"claims.copper-sto-18.break_even=[{old}]"])
    expected = f"is '{old}'; is of the old form; write instruments.producing_sto.mine.grade"
    assert expected in str(caught.value)


def test_change__of_the_old_form__is_refused():
    old = "instruments.mining_sto.producing_sto.mine.grade"
    claim = (
        f"claims.richer={{kind: effect, says: x, subject: producing_holder, change: {{{old}: 0.01}}"
        ", conditions: [{measure: total_return, unit: usd, at_least: 0}]}"
    )
    with pytest.raises(InputError) as caught:
        load_scenario("copper-sto", overrides=[claim])
    assert "`producing_sto: {kind: mining_sto, ...}` directly under" in str(caught.value)


def test_question__by_a_name_of_old__says_what_it_is_called_now():
    from simulator.engine.inputs import find_input

    loaded = load_scenario("copper-sto")
    with pytest.raises(UsageError, match=r"called instruments\.producing_sto\.mine\.grade now"):
        find_input(
            loaded.scenario,
            loaded.calibration,
            "instruments.mining_sto.producing_sto.mine.grade",
        )


def test_null__of_a_label_that_is_not_there__is_refused(tmp_path):
    """As `revenue_staking: null`, which took a whole section away."""
    text = "extends: copper-sto\nname: own\ninstruments:\n  revenue_staking: null\n"
    (message,) = refused(tmp_path, text)
    assert message.startswith("own.yaml:4: instruments.revenue_staking: takes away what is not")


def test_sober__of_the_tests__is_the_shipped_one():
    assert "  gold_vault:\n" in SOBER
