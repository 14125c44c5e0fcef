"""Text that is no proper YAML is refused at its line, and aliases keep their places."""

import pytest
from scenario_text import changed, line_of, one_fault, refused, written

from simulator.errors import InputError, Problem
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder
from simulator.scenario.loader import read_yaml

IDLE = "idle_share: 0.05"


def test_load__keys_that_stand_twice__are_all_listed_with_both_lines(tmp_path):
    text = changed(IDLE, "idle_share: 0.05\n    idle_share: 0.07").replace(
        "seed: 20260120", "seed: 20260120\nseed: 3"
    )
    seed, idle = line_of(text, "seed: 3"), line_of(text, "idle_share: 0.07")
    assert refused(tmp_path, text) == [
        f"own.yaml:{seed}: seed: stands twice; it is on line {seed - 1} already",
        f"own.yaml:{idle}: instruments.gold_vault.idle_share: stands twice; it is on line "
        f"{idle - 1} already",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fragment", "rule"),
    [
        (
            "    idle_share: 0.05",
            "\tidle_share: 0.05",
            "\tidle",
            "found character '\\t' that cannot start any token; indent with spaces, not tabs",
        ),
        ("  model: garch", "  model: {garch", "calibration:", "expected ',' or '}', but got ':'"),
        ("title: Gold", 'title: "Gold', "slope1", ""),
        (IDLE, "idle_share: *share", "*share", "found undefined alias 'share'"),
        ("replay:\n", "---\nreplay:\n", "---", "but found another document"),
        (
            "seed: 20260120",
            "seed: 20260120\n   x: 1",
            "   x: 1",
            "mapping values are not allowed here",
        ),
        (IDLE, "idle_share: 0.05\x00", "\x00", "character U+0000 is not allowed"),
    ],
)
def test_load__no_yaml__is_refused_at_the_line(tmp_path, old, new, fragment, rule):
    text = changed(old, new)
    (message,) = refused(tmp_path, text)
    if rule:
        assert message == f"own.yaml:{line_of(text, fragment)}: not valid YAML: {rule}"
    else:
        assert message.startswith("own.yaml:")
        assert "not valid YAML" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "own.yaml:1: is empty; must be a mapping of keys to values"),
        ("# only a comment\n", "own.yaml:1: is empty; must be a mapping of keys to values"),
        ("- a\n- b\n", "own.yaml:1: must be a mapping of keys to values"),
        ("gold\n", "own.yaml:1: must be a mapping of keys to values"),
        (bytes(range(256)), "own.yaml:2: must be UTF-8 text (byte 0x80)"),
        (b"name: a\ntitle: caf\xe9\n", "own.yaml:2: must be UTF-8 text (byte 0xe9)"),
        pytest.param("a: " + "[" * 500 + "]" * 500, "own.yaml: is nested too deeply", id="deep"),
    ],
)
def test_load__no_mapping_at_all__is_one_fault(tmp_path, content, message):
    assert refused(tmp_path, content) == [message]


def test_read__missing_file_and_folder__are_refused(tmp_path):
    for path, rule in (
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        with pytest.raises(InputError) as caught:
            read_yaml(path)
        assert caught.value.problems == (Problem(str(path), None, "", "", rule),)


@pytest.mark.parametrize("how", ["bom", "crlf"])
def test_load__other_editors_files__keep_their_line_numbers(tmp_path, how):
    text = changed(IDLE, "idle_share: 3")
    content = (
        b"\xef\xbb\xbf" + text.encode() if how == "bom" else text.replace("\n", "\r\n").encode()
    )
    (message,) = refused(tmp_path, content)
    assert message.startswith(f"own.yaml:{line_of(text, 'idle_share: 3')}: ")


def test_load__alias__faults_at_the_line_where_it_is_used(tmp_path):
    text = changed("pool_share: 0.20", "pool_share: &half 0.5").replace(
        "profit_unlock_days: 7", "report_every_days: *half"
    )
    (message,) = refused(tmp_path, text)
    assert message.startswith(
        f"own.yaml:{line_of(text, '*half')}: instruments.gold_vault.report_every_days is 0.5;"
    )


def test_load__alias_in_a_list__faults_at_the_lists_line(tmp_path):
    text = changed(IDLE, "idle_share: &bad 1.5").replace(
        "borrowers:\n", f"borrowers:\n      ltv_ladder: [*bad{', 0.5' * 7}]\n"
    )
    places = [message.split(" is 1.5;")[0] for message in refused(tmp_path, text)]
    assert places == [
        f"own.yaml:{line_of(text, '&bad')}: instruments.gold_vault.idle_share",
        f"own.yaml:{line_of(text, '*bad')}: instruments.gold_vault.borrowers.ltv_ladder[0]",
    ]


def test_load__merged_mapping__is_taken_with_its_own_keys_before(tmp_path):
    merged = (
        "  holder: &h {holding: gold_vault, ounces: 100}\n"
        "  token_only:\n    <<: *h\n    holding: gold_token"
    )
    old = (
        "  holder: {holding: gold_vault, ounces: 100}\n"
        "  token_only: {holding: gold_token, ounces: 100}"
    )
    investors = load_scenario(written(tmp_path, changed(old, merged))).scenario.investors
    assert investors["token_only"].ounces == 100
    assert investors["token_only"].holding == "gold_token"
    text = changed(old, merged.replace("ounces: 100", "ounces: -1"))
    line = line_of(text, "&h")
    # Once where it stands and once where it is merged into: both at the anchor's line.
    assert [message.split(" is ")[0] for message in refused(tmp_path, text)] == [
        f"own.yaml:{line}: investors.holder.ounces",
        f"own.yaml:{line}: investors.token_only.ounces",
    ]


def test_load__alias_to_itself__is_refused(tmp_path):
    text = changed("  gold_token:\n", "  gold_token: &self\n    preset2: *self\n")
    assert refused(tmp_path, text) == [
        f"own.yaml:{line_of(text, '*self')}: "
        "instruments.gold_token.preset2: must not contain itself"
    ]


def test_load__tag__is_refused_and_nothing_is_constructed(tmp_path):
    fault = one_fault(tmp_path, IDLE, "idle_share: !!python/object:os.system x")
    assert (
        "idle_share: has the tag tag:yaml.org,2002:python/object:os.system; write plain values"
        in fault
    )


@pytest.mark.parametrize("key", ["5", "null", "true", "2026-01-20", "[a]"])
def test_load__key_that_is_no_text__is_refused_at_its_line(tmp_path, key):
    text = changed("  token_only: {", f"  {key}: {{")
    (message,) = refused(tmp_path, text)
    shown = "a list or mapping" if key == "[a]" else key
    line = line_of(text, f"  {key}: {{")
    assert message == f"own.yaml:{line}: investors: key {shown} must be text, in quotes"


def test_load__calibration_file__is_checked_the_same_way(tmp_path):
    shipped = shipped_folder() / "calibrations" / "metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8").replace(
        "as_of: 2026-01-20", "as_of: 2026-02-30\nas_of: 1"
    )
    (tmp_path / "cal.yaml").write_text(text, encoding="utf-8")
    found = refused(tmp_path, changed("calibration: metals-2026-01", "calibration: cal.yaml"))
    line = line_of(text, "as_of: 2026-02-30")
    assert found[0].startswith(f"cal.yaml:{line}: as_of is '2026-02-30'; ")
    assert found[1] == f"cal.yaml:{line + 1}: as_of: stands twice; it is on line {line} already"
    assert len(found) == 2


def test_shipped_files__all__load():
    for path in sorted(shipped_folder().glob("*.yaml")):
        assert load_scenario(path).path == str(path)
