"""Time, logs and gas of vault, market and staking on a real node, through ape.

What the contracts compute is tested elsewhere, in process. Here the question is
whether a node, driven block by block by its clock, sees the same.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import ape
import pytest
from ape.exceptions import ContractLogicError
from click.testing import CliRunner
from web3 import Web3

# pydantic-settings on a configuration class of ape's compiler plugin; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:Field 'import_remapping'")

ROOT = Path(__file__).resolve().parents[2]
OUNCE = 10**18
DOLLAR = 10**6
DAY = 86_400
YEAR = 31_536_000
WAD = 10**18
MAX = 2**256 - 1
# EIP-2200 as amended by EIP-2929: a slot that goes from zero to a value costs 20,000,
# one that has a value 2,900; the first access adds the same to both.
FIRST_WRITE_SURCHARGE = 20_000 - 2_900


@pytest.fixture
def depositor_in_vault(stage, actors, give_gold) -> SimpleNamespace:
    """The depositor holds 100 ounces of the vault."""
    give_gold(actors.depositor, 100 * OUNCE)
    stage.gold_token.approve(stage.gold_vault, MAX, sender=actors.depositor)
    stage.gold_vault.deposit(100 * OUNCE, actors.depositor, sender=actors.depositor)
    return actors.depositor


@pytest.fixture
def strategy(stage, actors, depositor_in_vault):
    """A strategy that holds all of the vault's gold."""
    made = actors.owner.deploy(
        ape.project.stage_strategy,
        stage.gold_token,
        stage.gold_vault,
        actors.keeper,
        actors.intruder,
    )
    stage.gold_vault.add_strategy(made, sender=actors.owner)
    stage.gold_vault.update_debt(made, 100 * OUNCE, sender=actors.owner)
    return made


@pytest.fixture
def loan(stage, actors, give_gold, give_usdc) -> int:
    """The borrower owes half of the market's 100,000 dollars; return the block's time."""
    give_usdc(actors.depositor, 100_000 * DOLLAR)
    stage.usdc.approve(stage.lending_market, MAX, sender=actors.depositor)
    stage.lending_market.deposit(100_000 * DOLLAR, actors.depositor, sender=actors.depositor)
    give_gold(actors.borrower, 20 * OUNCE)
    stage.gold_token.approve(stage.lending_market, MAX, sender=actors.borrower)
    stage.lending_market.supply_collateral(20 * OUNCE, actors.borrower, sender=actors.borrower)
    receipt = stage.lending_market.borrow(50_000 * DOLLAR, actors.borrower, sender=actors.borrower)
    return receipt.timestamp


def events(receipt, name: str) -> list[dict]:
    return [dict(log.event_arguments) for log in receipt.events if log.event_name == name]


def test_deploy_script__prints_every_address(script, stage, capsys):
    script.main()
    lines = capsys.readouterr().out.splitlines()
    printed = dict(line.split() for line in lines if len(line.split()) == 2)
    assert set(printed) == set(vars(stage))
    assert all(ape.chain.provider.get_code(address) for address in printed.values())


def connected(name, chain_id="0x7a69", client="anvil/v1.7.1"):
    """A stand-in for ape's networks: a provider that says what it is."""
    says = {"eth_chainId": chain_id, "web3_clientVersion": client}
    provider = SimpleNamespace(
        network=SimpleNamespace(name=name), make_request=lambda method, params: says[method]
    )
    return SimpleNamespace(provider=provider)


@pytest.mark.parametrize(
    "networks",
    [
        connected("mainnet"),
        connected("local", chain_id="0x1"),
        connected("local", client="Geth/v1.14.0"),
    ],
)
def test_deploy_script__node_that_is_no_local_anvil__is_refused(script, monkeypatch, networks):
    script.require_local()
    monkeypatch.setattr(script, "networks", connected("local"))
    script.require_local()
    monkeypatch.setattr(script, "networks", networks)
    with pytest.raises(RuntimeError, match="is not a local development chain; nothing was sent"):
        script.require_local()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("ethereum:mainnet:node", "must be ethereum:local:foundry or ethereum:local:URL"),
        ("ethereum:local:node", "must be ethereum:local:foundry or ethereum:local:URL"),
        ("ethereum:local:http://rpc.example.org", "Assay sends nothing to any other host"),
        ("ethereum:local:http://127.0.0.1:1", "nothing listens there; --keep starts an Anvil"),
    ],
)
def test_deploy_script__network_elsewhere__is_refused_before_anything(script, network, message):
    script.require_loopback("ethereum:local:foundry")
    outcome = CliRunner().invoke(script.cli, ["--network", network])
    assert outcome.exit_code == 1
    assert message in outcome.output
    assert outcome.output.count("\n") == 1


def test_deploy_script__keep_at_a_port_that_is_taken__is_a_line(script):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        outcome = CliRunner().invoke(script.cli, ["--keep", "--port", port])
    assert outcome.exit_code == 1
    assert outcome.output == f"Error: --port {port} is taken; name another\n"


def console(port: int, deployment: Path, lines: str) -> str:
    """Return what `ape console` answers to lines typed into it."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ape"),
            "console",
            "--network",
            f"ethereum:local:http://127.0.0.1:{port}",
        ],
        input=f"{lines}\nexit()\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "ASSAY_DEPLOYMENT": str(deployment)},
        check=False,
    )
    return done.stdout + done.stderr


# ape and web3 leave the connections of a node open that they have left
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.deep
def test_deploy_script__keep__leaves_a_node_with_what_the_file_says(
    script, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(script, "CONTRACTS", tmp_path / "contracts.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script.run("ethereum:local:foundry", keep=True, port=port)
    said = capsys.readouterr().out
    (node,) = script.KEPT
    try:
        assert f"end it with: kill {node.pid}" in said
        found = json.loads((tmp_path / "contracts.json").read_text())
        assert set(found["deploy/gold_vault"]) == {"address", "contract", "abi"}
        web3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        vault = web3.eth.contract(**{k: found["deploy/gold_vault"][k] for k in ("address", "abi")})
        assert vault.functions.asset().call() == found["deploy/gold_token"]["address"]
        # a second time onto the same node, which runs already
        script.run(f"ethereum:local:http://127.0.0.1:{port}", keep=False, port=0)
        assert "addresses and ABIs" in capsys.readouterr().out
        told = console(
            port, tmp_path / "contracts.json", "gold_vault.decimals()\ngold_vault.name()"
        )
        assert re.search(r"Out\[1\]: 18\n", told), told
        assert "Out[2]: 'Assay Gold Vault'" in told
    finally:
        node.terminate()
        node.wait()


def test_vault_deposit__logs_erc_4626_event_with_one_share_per_wei(stage, actors, give_gold):
    give_gold(actors.depositor, 3 * OUNCE)
    stage.gold_token.approve(stage.gold_vault, 3 * OUNCE, sender=actors.depositor)
    receipt = stage.gold_vault.deposit(3 * OUNCE, actors.staker, sender=actors.depositor)
    (deposit,) = events(receipt, "Deposit")
    assert deposit == {
        "sender": actors.depositor,
        "owner": actors.staker,
        "assets": 3 * OUNCE,
        "shares": 3 * OUNCE,
    }


def test_vault_profit__unlocks_evenly_over_ten_days(stage, actors, strategy, give_gold, at):
    give_gold(actors.keeper, 10 * OUNCE)
    stage.gold_token.approve(strategy, MAX, sender=actors.keeper)
    strategy.credit(10 * OUNCE, sender=actors.keeper)
    reported = at(ape.chain.pending_timestamp + 60)
    receipt = stage.gold_vault.process_report(strategy, sender=actors.owner)
    (report,) = [r for r in events(receipt, "StrategyReported") if r["gain"]]
    # A tenth of the gain, and one percent a year of the debt for a minute or so.
    performance, a_minute = OUNCE, 100 * OUNCE * 100 * 60 // (10_000 * YEAR)
    assert (report["gain"], report["loss"], report["current_debt"]) == (
        10 * OUNCE,
        0,
        110 * OUNCE,
    )
    assert performance + a_minute <= report["fees"] <= performance + 2 * a_minute
    locked = 10 * OUNCE - report["fees"]
    for days in (0, 2, 5, 9, 10, 20):
        if days:
            at(reported + days * DAY)
            ape.chain.mine()
        expected = locked * max(0, 10 - days) // 10
        assert stage.gold_vault.locked_profit() == pytest.approx(expected, abs=1)


def test_vault_seized_strategy__withdrawal_books_the_loss(stage, actors, strategy):
    strategy.seize(40 * OUNCE, actors.intruder, sender=actors.intruder)
    with pytest.raises(ContractLogicError, match="gold_vault: exceeds withdrawable"):
        stage.gold_vault.withdraw.call(
            61 * OUNCE, actors.depositor, actors.depositor, sender=actors.depositor
        )
    receipt = stage.gold_vault.redeem(
        100 * OUNCE, actors.depositor, actors.depositor, sender=actors.depositor
    )
    assert stage.gold_token.balanceOf(actors.depositor) == 60 * OUNCE
    assert sum(report["loss"] for report in events(receipt, "StrategyReported")) == 40 * OUNCE


def test_market_debt__grows_by_the_latched_rate_and_the_clock(stage, actors, loan, at):
    # Half lent, kink at 90 %: the rate is 4 % · 0.5 / 0.9 a year.
    rate = WAD * 4 // 100 * 50 // 90
    assert stage.lending_market.borrow_rate() == pytest.approx(rate, abs=1)
    at(loan + 30 * DAY)
    receipt = stage.lending_market.accrue(sender=actors.keeper)
    interest = 50_000 * DOLLAR * rate * 30 * DAY // (WAD * YEAR)
    assert stage.lending_market.debt_of(actors.borrower) - 50_000 * DOLLAR == pytest.approx(
        interest, abs=2
    )
    (accrued,) = events(receipt, "Accrued")
    assert accrued["interest"] == pytest.approx(interest, abs=2)
    # The treasury's tenth of the interest, in shares worth a little more than a dollar each.
    assert accrued["treasury_shares"] == pytest.approx(interest // 10, rel=2e-3)


def test_market_liquidation__healthy_reverts_and_unhealthy_pays_the_bonus(
    stage, actors, loan, give_usdc
):
    give_usdc(actors.liquidator, 60_000 * DOLLAR)
    stage.usdc.approve(stage.lending_market, MAX, sender=actors.liquidator)
    with pytest.raises(ContractLogicError, match="lending_market: borrower is healthy"):
        stage.lending_market.liquidate.call(actors.borrower, MAX, sender=actors.liquidator)
    # 20 ounces at 3,200 dollars: the debt is 78 % of it, above the threshold of 75 %.
    stage.gold_feed.update_answer(3_200 * 10**8, sender=actors.keeper)
    receipt = stage.lending_market.liquidate(
        actors.borrower, 10_000 * DOLLAR, sender=actors.liquidator
    )
    (liquidated,) = events(receipt, "Liquidated")
    assert liquidated["repaid"] == 10_000 * DOLLAR
    # 10,000 dollars and 6 % on top, in ounces of 3,200 dollars.
    assert liquidated["seized"] == 10_600 * OUNCE // 3_200
    assert stage.gold_token.balanceOf(actors.liquidator) == liquidated["seized"]


def test_staking__half_the_period__earns_half_the_reward(stage, actors, depositor_in_vault, at):
    staking, shares = stage.staking_rewards, stage.gold_vault
    shares.approve(staking, MAX, sender=depositor_in_vault)
    staking.stake(100 * OUNCE, sender=depositor_in_vault)
    stage.reward_token.mint(staking, 3_000 * OUNCE, sender=actors.owner)
    notified = at(ape.chain.pending_timestamp + 60)
    staking.notifyRewardAmount(3_000 * OUNCE, sender=actors.keeper)
    at(notified + 15 * DAY)
    receipt = staking.getReward(sender=depositor_in_vault)
    (paid,) = events(receipt, "RewardPaid")
    assert paid["user"] == depositor_in_vault
    assert paid["reward"] == pytest.approx(1_500 * OUNCE, abs=100)
    assert stage.reward_token.balanceOf(depositor_in_vault) == paid["reward"]


def test_mining_sto__half_the_stream__pays_holder_and_staker_alike(stage, actors, give_usdc, at):
    sto, staking = stage.mining_sto, stage.revenue_staking
    for number, wallet in enumerate((actors.depositor, actors.staker), start=1):
        identity = f"0x{number:040x}"
        stage.identity_registry.registerIdentity(wallet, identity, 152, sender=actors.owner)
        sto.mint(wallet, 100 * OUNCE, sender=actors.owner)
    sto.unpause(sender=actors.owner)
    sto.approve(staking, MAX, sender=actors.staker)
    staking.stake(100 * OUNCE, sender=actors.staker)
    give_usdc(actors.keeper, 9_000 * DOLLAR)
    stage.usdc.approve(sto, MAX, sender=actors.keeper)
    sto.record_revenue(5_000 * DOLLAR, sender=actors.custodian)
    paid = at(ape.chain.pending_timestamp + 60)
    receipt = sto.distribute_funds(9_000 * DOLLAR, sender=actors.keeper)
    (flagged,) = events(receipt, "ReturnOfCapital")
    assert flagged["amount"] == 4_000 * DOLLAR
    for wallet, take in (
        (actors.depositor, sto.withdrawFunds),
        (actors.staker, staking.getReward),
    ):
        at(paid + 45 * DAY if wallet == actors.depositor else paid + 45 * DAY + 1)
        take(sender=wallet)
        # Half of the stream, half of the tokens; the second acts a second later.
        assert stage.usdc.balanceOf(wallet) == pytest.approx(2_250 * DOLLAR, abs=600)


@pytest.mark.parametrize("token", ["gold_vault", "lending_market"])
def test_gas__first_share_of_a_holder__costs_one_new_slot_more(
    token, stage, actors, depositor_in_vault, loan
):
    shares = getattr(stage, token)
    gas = [
        shares.transfer(actors.staker, 1_000, sender=actors.depositor).gas_used for _ in range(3)
    ]
    assert gas[0] - gas[1] == FIRST_WRITE_SURCHARGE
    assert gas[1] == gas[2]
