"""Packaged contracts: they belong to the sources, fit on chain, and rebuild to the same bytes."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from simulator.chain import artifact_names, load_artifact
from simulator.chain.artifacts import Artifact
from simulator.chain.compile import (
    compile_patched,
    compile_source,
    contract_sources,
    source_hash,
)
from simulator.errors import ChainUnavailable, TransactionReverted

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
EIP_170_LIMIT = 24_576


@pytest.fixture(scope="module")
def build_script() -> ModuleType:
    pytest.importorskip("snekmate", reason="the hash names the library's version")
    spec = importlib.util.spec_from_file_location("build", ROOT / "scripts" / "build_artifacts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_artifacts__all_present_and_up_to_date(build_script):
    # Repair: python scripts/build_artifacts.py
    assert build_script.stale(contract_sources(CONTRACTS)) == []
    of_trials = contract_sources(CONTRACTS / "trial")
    assert build_script.stale(of_trials, build_script.OF_TRIALS) == []


@pytest.mark.parametrize("name", artifact_names())
def test_artifact__fits_the_contract_size_limit(name):
    assert 0 < load_artifact(name).deployed_size <= EIP_170_LIMIT


@pytest.mark.parametrize("name", artifact_names())
def test_artifact__json_round_trip__is_the_same_text(name):
    artifact = load_artifact(name)
    text = artifact.to_json()
    assert Artifact.from_json(text).to_json() == text
    assert artifact.name == name


def test_load_artifact__unknown_name__lists_what_there_is():
    assert load_artifact("usdc").name == "usdc"
    with pytest.raises(ChainUnavailable, match=r"no compiled contract named 'gold'; .*gold_token"):
        load_artifact("gold")


def test_compile__again_elsewhere__gives_the_packaged_bytes():
    pytest.importorskip("vyper")
    packaged = load_artifact("price_feed")
    assert compile_source(CONTRACTS / "price_feed.vy").to_json() == packaged.to_json()
    # In another folder the compiler must not write the path into the code.
    assert compile_patched(CONTRACTS / "price_feed.vy").to_json() == packaged.to_json()


def test_compile_patched__changes_the_code_and_not_the_tree():
    pytest.importorskip("vyper")
    path = CONTRACTS / "price_feed.vy"
    before = path.read_bytes()
    edit = ("price_feed.vy", '"price_feed: no data"', '"price_feed: nothing"')
    patched = compile_patched(path, edit)
    assert b"price_feed: nothing" in patched.bytecode
    assert patched.source_hash != load_artifact("price_feed").source_hash
    assert path.read_bytes() == before


def test_compile_patched__text_that_is_not_there__is_refused():
    pytest.importorskip("vyper")
    with pytest.raises(ValueError, match=r"price_feed\.vy: 'no such text' occurs 0 times"):
        compile_patched(CONTRACTS / "price_feed.vy", ("price_feed.vy", "no such text", ""))


def test_patched_contract__behaves_differently(revm, roles):
    pytest.importorskip("vyper")
    edit = ("price_feed.vy", '"price_feed: no data"', '"price_feed: nothing"')
    path = CONTRACTS / "price_feed.vy"
    for artifact, reason in (
        (load_artifact("price_feed"), "price_feed: no data"),
        (compile_patched(path, edit), "price_feed: nothing"),
    ):
        feed = revm.deploy(artifact, [8, "XAU / USD", roles.keeper], roles.owner)
        with pytest.raises(TransactionReverted) as caught:
            revm.view_one(feed.call("latestRoundData"))
        assert caught.value.reason == reason


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A contract that imports a module, which imports an interface."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "stage").mkdir()
    (tmp_path / "main.vy").write_text(
        "from ethereum.ercs import IERC20\nfrom modules import part\n"
    )
    (tmp_path / "modules" / "part.vy").write_text("from . import shape\n")
    (tmp_path / "modules" / "shape.vyi").write_text("# a shape\n")
    (tmp_path / "stage" / "play.vy").write_text("from ..modules import part as p  # why\n")
    return tmp_path


def test_contract_sources__are_contracts_and_stage_only(tree):
    assert contract_sources(tree) == {
        "main": tree / "main.vy",
        "play": tree / "stage" / "play.vy",
    }


@pytest.mark.parametrize("changed", ["main.vy", "modules/part.vy", "modules/shape.vyi"])
def test_source_hash__depends_on_everything_imported(tree, changed):
    before = source_hash(tree / "main.vy")
    assert source_hash(tree / "main.vy") == before
    with (tree / changed).open("a") as file:
        file.write("# more\n")
    assert source_hash(tree / "main.vy") != before


def test_source_hash__depends_on_nothing_else(tree):
    before = source_hash(tree / "stage" / "play.vy")
    (tree / "main.vy").write_text("# other\n")
    assert source_hash(tree / "stage" / "play.vy") == before


def test_source_hash__import_without_source__is_refused(tree):
    (tree / "modules" / "shape.vyi").unlink()
    with pytest.raises(ValueError, match=r"part\.vy: cannot find the source of import 'shape'"):
        source_hash(tree / "main.vy")


def test_staleness__names_what_is_wrong(build_script, tree, monkeypatch, tmp_path):
    folder = tmp_path / "artifacts"
    folder.mkdir()
    monkeypatch.setattr(build_script, "ARTIFACTS", folder)
    sources = {"main": tree / "main.vy"}
    assert build_script.stale(sources) == ["main: not built"]
    bare = Artifact("main", (), b"", 0, source_hash(tree / "main.vy"), "")
    (folder / "main.json").write_text(bare.to_json())
    assert build_script.stale(sources) == ["main: has no map of its source"]
    built = replace(bare, source_map={"places": []})
    (folder / "main.json").write_text(built.to_json())
    assert build_script.stale(sources) == []
    (tree / "modules" / "shape.vyi").write_text("# another shape\n")
    (folder / "old.json").write_text(built.to_json())
    assert build_script.stale(sources) == ["main: source has changed", "old: has no source"]
    assert build_script.report(["main: source has changed"]) == 1
    assert build_script.report([]) == 0


def test_map__of_another_source__is_left_out():
    """As after a merge that took one version's code and another's map."""
    raw = json.loads(load_artifact("price_feed").to_json())
    assert Artifact.from_json(json.dumps(raw)).source_map is not None
    raw["source_map"]["of"] = "0" * 64
    assert Artifact.from_json(json.dumps(raw)).source_map is None
