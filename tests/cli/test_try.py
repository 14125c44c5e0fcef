"""`assay try`: what it prints, and what it says of a contract that cannot be tried."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import PARTIES, SOURCE, patched, small_vault

from simulator.chain import AnvilChain, load_artifact
from simulator.chain.contract import interface_of
from simulator.chain.node import find_anvil
from simulator.cli import main
from simulator.errors import ChainUnavailable, InputError
from simulator.trial.adapters import Adapter
from simulator.trial.stage import ARTIFACTS, Case
from simulator.trial.subject import read_subject

QUICK = ("--years", "0")
EMPTY = "# pragma version ==0.4.3\n"


def attempt(*words):
    return CliRunner().invoke(main, ["try", *(str(word) for word in words)])


@pytest.fixture
def faulty(tmp_path):
    file = tmp_path / "first.json"
    file.write_text(small_vault("first-depositor").to_json())
    return file


@pytest.fixture
def sound(tmp_path):
    file = tmp_path / "small_vault.json"
    file.write_text(small_vault().to_json())
    return file


def test_try__a_faulty_vault__names_the_fault_its_calls_and_a_test(faulty, tmp_path):
    done = attempt(faulty, *QUICK, "--out", tmp_path / "out")
    assert done.exit_code == 5
    assert "small_vault lets the first depositor rob the next (attacks):" in done.output
    assert "intruder deposits 1 wei" in done.output
    test = tmp_path / "out" / "test_small_vault_first_depositor.py"
    assert f"pytest {test}" in done.output
    assert test.is_file()
    assert len(done.output.splitlines()) <= 40
    assert "assay: small_vault does not come through: 2 rules broken" in done.output


def test_try__a_sound_source__shows_each_step_and_writes_nothing(tmp_path):
    done = attempt(SOURCE, *QUICK, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [(step["name"], step["ok"]) for step in found["steps"]] == [
        ("interface", True),
        ("standard", True),
        ("attacks", True),
    ]
    assert found["faults"] == []
    assert not (tmp_path / "out").exists()


def test_try__a_token__is_held_to_its_own_standards(tmp_path):
    file = tmp_path / "token.json"
    file.write_text(load_artifact("reward_token").to_json())
    done = attempt(file)
    assert done.exit_code == 0, done.output
    assert "as a token" in done.output
    assert "tokens against a ledger" in done.output


FORMS = {
    "ape": lambda abi, code: {
        "contractName": "small_vault",
        "abi": abi,
        "deploymentBytecode": {"bytecode": code},
    },
    "foundry": lambda abi, code: {"abi": abi, "bytecode": {"object": code}},
    "vyper": lambda abi, code: {
        "contracts/small_vault.vy": {"abi": abi, "bytecode": code},
        "version": "0.4.3",
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_subject__artifacts_of_other_tools__are_read(form, tmp_path):
    vault = small_vault()
    file = tmp_path / "small_vault.json"
    raw = FORMS[form](list(vault.abi), "0x" + vault.bytecode.hex())
    file.write_text(json.dumps(raw))
    found = read_subject(file)
    assert (found.name, found.bytecode) == ("small_vault", vault.bytecode)
    assert interface_of(found).constructor == ("address", "address")


# -- what cannot be tried ----------------------------------------------------------------------


def refused(code, rule, *words):
    done = attempt(*words, *QUICK)
    lines = [line for line in done.output.splitlines() if line.startswith("assay: ")]
    assert (done.exit_code, len(lines)) == (code, 1), done.output
    assert rule in lines[0]
    assert "Traceback" not in done.output
    return lines[0]


def test_try__no_such_file__is_refused():
    refused(2, "must be a Vyper source (.vy), an artifact", "nowhere.vy")


def test_try__a_vault_that_lacks_functions__lists_them(tmp_path):
    file = tmp_path / "half.json"
    raw = json.loads(small_vault().to_json())
    gone = ("previewMint", "maxRedeem")
    raw["abi"] = [entry for entry in raw["abi"] if entry.get("name") not in gone]
    file.write_text(json.dumps(raw))
    line = refused(3, "lacks 2 functions of ERC-4626: ", file)
    assert line.endswith("previewMint(uint256), maxRedeem(address)")


def entry(kind="function", **fields):
    return json.dumps({"abi": [{"type": kind, **fields}], "bytecode": "0x00"})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{", "is no JSON"),
        ('{"abi": "[", "bytecode": "0x00"}', "abi is no JSON"),
        ('{"abi": {}, "bytecode": "0x00"}', "abi must be a list"),
        ('{"abi": [], "bytecode": "0x"}', "has no bytecode: an interface"),
        ('{"abi": [], "bytecode": "0x60__$ab$__"}', "libraries that are not linked"),
        ('{"some": 1}', "it has no abi"),
        (
            '{"abi": [{"type": "function"}], "bytecode": "0x00"}',
            "abi: entry 1 (function): lacks name",
        ),
        (entry(name="f"), "abi: entry 1 (function f): lacks outputs"),
        (entry(name=5, outputs=[]), "abi: entry 1 (function 5): "),
        (entry(name="f", inputs=None, outputs=[]), "abi: entry 1 (function f): "),
        (entry(name="f", inputs=[{"name": "a", "type": "uint7"}], outputs=[]), "abi: entry 1"),
        (entry("event", name="E", inputs=[{"name": "a", "type": "uint8"}]), "lacks indexed"),
        pytest.param("[" * 100_000, "more than 500 open brackets", id="deep"),
        pytest.param('{"abi": ' * 501, "more than 500 open brackets", id="deep objects"),
    ],
)
def test_try__what_is_no_artifact__is_refused(text, rule, tmp_path):
    file = tmp_path / "x.json"
    file.write_text(text)
    assert str(file) in refused(3, rule, file)


def test_try__a_source_that_does_not_compile__is_refused_with_its_line(tmp_path):
    file = tmp_path / "x.vy"
    file.write_text(EMPTY + "@external\ndef f() -> uint256:\n    return 'a'\n")
    assert "line 4" in refused(3, "does not compile", file)


def test_try__bytecode_over_the_limit__is_refused(tmp_path):
    file = tmp_path / "x.json"
    # EIP-170: 24,576 bytes at most.
    raw = {"abi": [], "bytecode": "0x00", "deployedBytecode": {"object": "0x" + "00" * 24_577}}
    file.write_text(json.dumps(raw))
    refused(3, "bytecode is 24,577 bytes; at most 24,576 (EIP-170)", file)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("0x00", "small_vault: its bytecode creates no code: is it that of a creation?"),
        ("0x5f5ffd", "small_vault: its constructor reverts with (0x"),
        # PUSH1 1, PUSH0, RETURN: one byte of code, a STOP, which answers nothing to everything.
        (
            "0x60015ff3",
            "small_vault: cannot be set up: small_vault.totalSupply() reverted: its answer",
        ),
    ],
)
def test_try__bytecode_that_makes_no_such_contract__is_refused(code, rule, sound):
    raw = {**json.loads(sound.read_text()), "bytecode": code}
    sound.write_text(json.dumps(raw))
    refused(3, rule, sound)


def test_try__a_set_up_that_reverts__is_no_broken_rule(sound, tmp_path):
    adapter = tmp_path / "own.py"
    adapter.write_text(
        OWN + "set_up(self):\n        who = self.stage.roles.keeper\n"
        "        return [self.stage.contract.call('transfer', who, 1, sender=who)]\n"
    )
    refused(3, "small_vault: cannot be set up: small_vault.transfer(", sound, "--adapter", adapter)


def test_try__missing_constructor_arguments__are_listed_with_types(tmp_path):
    file = tmp_path / "vault.json"
    file.write_text(load_artifact("gold_vault").to_json())
    line = refused(3, "constructor arguments are missing: performance_fee_bps_ uint256, ", file)
    assert "queue_ address; give each as --arg NAME=VALUE" in line


def test_try__an_argument_that_the_constructor_has_not__is_refused():
    refused(3, "constructor has no argument fee; it has asset_ address", SOURCE, "--arg", "fee=1")


OWN = "class A:\n    def "
REPORT = "    def report(self):\n        return []\n"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("class A:\n    def report(self):\n        return 1 / 0\n", ":3: adapter: report raised"),
        ("class A:\n    def earn(self)\n", ":2: adapter: import raised SyntaxError"),
        ("x = 1\n", ": adapter: must have one class with earn, lose or report; has none"),
        ("import sys\nsys.exit(3)\n", ":2: adapter: import raised SystemExit: 3"),
        (
            OWN + "earn(self, amount):\n        return 5\n",
            ":2: adapter: earn returns 5; must be a list",
        ),
        (
            OWN + "lose(self, amount):\n        return [1]\n",
            ":2: adapter: lose returns [1]; must be",
        ),
        (OWN + "set_up(self):\n        return None\n", ":2: adapter: set_up returns None; must be"),
        (
            OWN + "assets(self):\n        return None\n",
            ":2: adapter: assets returns None; must be a",
        ),
        (OWN + "assets(self):\n        return -1\n", ":2: adapter: assets returns -1; must be a"),
        (
            OWN + "arguments(self):\n        return [1]\n",
            ":2: adapter: arguments returns [1]; must",
        ),
        (
            "class A:\n    annual_fee = '2 %'\n" + REPORT,
            ": adapter: annual_fee is '2 %'; must be a",
        ),
    ],
)
def test_try__an_adapter_that_is_wrong__is_told_with_file_and_line(body, rule, tmp_path, sound):
    # A file's name is no matter.
    adapter = tmp_path / "own.txt"
    adapter.write_text(body)
    assert f"{adapter}{rule}" in refused(3, rule, sound, "--adapter", adapter)


def test_try__arguments_of_an_adapter__must_fit_the_constructor(tmp_path, sound):
    adapter = tmp_path / "own.py"
    adapter.write_text(OWN + "arguments(self):\n        return {'fee_recipient_': 5}\n")
    rule = "small_vault: arguments(): fee_recipient_ is 5: must be address"
    refused(3, rule, sound, "--adapter", adapter)


def test_try__a_ready_adapter_that_does_not_fit__is_refused(sound):
    lacking = (
        "--adapter yearn: the contract lacks add_strategy, process_report, update_debt; give a file"
    )
    refused(2, lacking, sound, "--adapter", "yearn")
    plain = SOURCE.read_text().replace("def report():", "def tend():")
    file = sound.with_name("plain.vy")
    file.write_text(plain)
    refused(2, "the contract has none of harvest(), report()", file, "--adapter", "harvest")


def test_try__an_adapter_whose_call_reverts__is_told(tmp_path):
    adapter = tmp_path / "own.py"
    adapter.write_text(
        "class A:\n    def report(self):\n        return [self.stage.contract.call("
        "'transfer', self.stage.roles.owner, 1, sender=self.stage.roles.keeper)]\n"
    )
    refused(3, f"{adapter}: report: small_vault.transfer", SOURCE, "--adapter", adapter)


LISTS = """# pragma version ==0.4.3
struct Terms:
    fee: uint256
    who: address
@deploy
def __init__(who_: address, fees_: uint256[2], terms_: Terms, flag_: bool):
    assert who_ == terms_.who and fees_[1] == 2 and terms_.fee == 3 and flag_
"""
GIVEN = {"who_": "keeper", "fees_": "[1, 2]", "terms_": '[3, "keeper"]', "flag_": "true"}


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        (
            "who_",
            "nobody",
            "must be address: 20 bytes in hex, asset, reward, or one of",
        ),
        ("who_", "0x12", "must be address"),
        ("fees_", "1", "must be uint256[2], as JSON"),
        ("fees_", "[1]", "must be uint256[2], as JSON"),
        ("fees_", "[1, -2]", "must be uint256[2], as JSON"),
        ("terms_", "[3]", "must be (uint256,address), as JSON"),
        ("terms_", "{", "must be (uint256,address), as JSON"),
        ("flag_", "yes", "must be bool"),
    ],
)
def test_arguments__of_any_type__are_taken_as_text_or_refused(name, text, rule, tmp_path):
    file = tmp_path / "lists.vy"
    file.write_text(LISTS)
    # Its constructor asserts that each has arrived as it was given.
    deployed(file, GIVEN)
    with pytest.raises(InputError) as told:
        deployed(file, {**GIVEN, name: text})
    assert f"--arg {name}={text}: {rule}" in str(told.value)


def deployed(file, given):
    return Case(read_subject(file), Adapter, given).stage()


ADDRESS = "0x" + "12" * 20


def test_try__an_address_without_a_node__is_refused():
    refused(2, "an address needs --rpc", ADDRESS)


def test_try__a_remote_node__is_refused():
    refused(4, "must be http to this machine", ADDRESS, "--rpc", "http://example.com:8545")


def test_try__a_node_that_does_not_answer__is_told():
    refused(4, "nothing listens there", ADDRESS, "--rpc", "http://127.0.0.1:9")


def test_try__a_contract_on_a_node__is_tried_and_the_node_left_as_it_was(free_port):
    try:
        find_anvil()
    except ChainUnavailable as error:
        pytest.skip(str(error))
    with AnvilChain(1_735_689_600, port=free_port) as chain:
        url, owner = f"http://127.0.0.1:{free_port}", chain.accounts[0]
        asset = chain.deploy(load_artifact("trial_asset", ARTIFACTS), (6,), owner)
        vault = chain.deploy(small_vault(), (asset.address, owner), owner)
        before = (chain.timestamp(), vault.read(chain, "totalSupply"))
        refused(2, "has no code at", ADDRESS, "--rpc", url)
        done = attempt(vault.address, *QUICK, "--rpc", url)
        assert done.exit_code == 0, done.output
        assert "adapter harvest (ready)" in done.output
        assert "ERC-4626: 19 functions, 2 events" in done.output
        assert (chain.timestamp(), vault.read(chain, "totalSupply")) == before
        staking = stake_on(chain, asset)
        done = attempt(staking.address, *QUICK, "--rpc", url)
        assert done.exit_code == 0, done.output
        assert "as a staking contract, adapter staking (ready)" in done.output
        # Losses are played above the node too, and told in units of the asset's own decimals.
        stale = chain.deploy(small_vault("stale-price"), (asset.address, owner), owner)
        done = attempt(stale.address, *QUICK, "--rpc", url)
        assert done.exit_code == 5, done.output
        assert "keeps a stale price after a loss" in done.output
        assert re.search(r"crowd deposits (1|10|100|1,000|10,000|100,000|1e\+06)\n", done.output)


def stake_on(chain, asset):
    """Return a staking contract within a period, with a stake of somebody's."""
    owner, teller, staker = chain.accounts[:3]
    reward = chain.deploy(load_artifact("trial_asset", ARTIFACTS), (18,), owner)
    arguments = (owner, teller, reward.address, asset.address, 604_800)
    staking = chain.deploy(load_artifact("staking_rewards"), arguments, owner)
    for call in (
        asset.call("mint", staker, 10**9, sender=owner),
        asset.call("approve", staking, 10**9, sender=staker),
        staking.call("stake", 10**9, sender=staker),
        reward.call("mint", staking, 10**21, sender=owner),
        staking.call("notifyRewardAmount", 10**21, sender=teller),
    ):
        chain.send(call)
    return staking


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_try__a_folder_that_cannot_be_written__is_refused_before_the_trial(faulty, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper"):
        done = attempt(faulty, *QUICK, "--out", folder)
        assert done.exit_code == 2
        assert done.output == f"assay: --out {folder}: {tmp_path / 'file'} is no folder\n"


def test_try__a_vault_as_a_token__says_that_its_mint_is_none(sound):
    done = attempt(sound, "--as", "token")
    assert done.exit_code == 2
    told = (
        "small_vault: its mint(uint256,address) is not a token's mint(address,uint256): try a vault"
    )
    assert told in done.output


def test_try__creation_code_that_is_too_large_with_its_arguments__is_told(tmp_path):
    whole = small_vault()
    # Two arguments are 64 bytes: alone it fits.
    padded = whole.bytecode + bytes(49_152 - 32 - len(whole.bytecode))
    file = tmp_path / "large.json"
    file.write_text(replace(whole, bytecode=padded).to_json())
    done = attempt(file, *QUICK)
    assert done.exit_code == 3
    assert "creation code is 49,184 bytes with its arguments; at most 49,152" in done.output


def test_try__a_vault_that_anybody_can_empty__is_named(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(patched(*PARTIES["no-allowance"][1]).to_json())
    done = attempt(file, *QUICK, "--out", tmp_path / "out")
    assert done.exit_code == 5
    assert "small_vault lets others burn one's shares (attacks):" in done.output
    assert (tmp_path / "out" / "test_small_vault_authority.py").is_file()
