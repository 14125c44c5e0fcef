"""Profit of the mine's token: streamed by the second, kept on every balance path, in books."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, events, refused
from sto_stage import CHILE, QUARTER, TOKEN, StoStage, identity_of

from simulator.chain import Artifact, Chain
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
PAYMENT = QUARTER
"""Dollars: one a second over the quarter, so that dollars are seconds."""


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """A running token: a quarter of it is the depositor's, three the second depositor's."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 250)
    stage.mint(roles.second_depositor, 750)
    return stage


def test_payment__streams_to_holders_by_seconds_and_share(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    start = stage.pay(PAYMENT).timestamp
    assert stage.claim(roles.depositor) == stage.claim(roles.second_depositor) == 0
    for seconds in (1, 1_000, QUARTER // 2, QUARTER, 2 * QUARTER):
        stage.chain.block(start + seconds, [])
        flowed = min(seconds, QUARTER) * DOLLAR
        # Rounded down: a dollar a second over 90 days is not a whole number in binary.
        assert stage.claim(roles.depositor) == pytest.approx(flowed // 4, abs=1)
        assert stage.claim(roles.second_depositor) == pytest.approx(flowed * 3 // 4, abs=1)


def test_withdraw_funds__pays_what_was_earned_and_logs_it(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    start = stage.pay(PAYMENT).timestamp
    receipt = stage.send(stage.sto, "withdrawFunds", sender=roles.depositor, at=start + 40_000)
    # A quarter of 40,000 dollars, less the fraction of a unit that rounds down.
    assert stage.dollars(roles.depositor) == 10_000 * DOLLAR - 1
    withdrawn = {"by": roles.depositor, "fundsWithdrawn": 10_000 * DOLLAR - 1}
    assert events(stage.sto, receipt) == [("FundsWithdrawn", withdrawn)]
    assert stage.read(stage.sto, "withdrawnFundsOf", roles.depositor) == 10_000 * DOLLAR - 1
    again = stage.send(stage.sto, "withdrawFunds", sender=roles.depositor, at=start + 40_000)
    assert events(stage.sto, again) == []


def test_payments__that_overlap__flow_side_by_side(stage: StoStage, roles: SimpleNamespace) -> None:
    start = stage.pay(PAYMENT).timestamp
    stage.pay(2 * PAYMENT, at=start + 30 * DAY)
    rate = stage.read(stage.sto, "flow_per_second") / 2**128
    assert rate == pytest.approx(3 * DOLLAR)
    # A day after the first has ended: 90 days of the first, 61 of the second at twice the rate.
    stage.chain.block(start + 91 * DAY, [])
    assert stage.claim(roles.depositor) == pytest.approx((90 + 2 * 61) * DAY * DOLLAR // 4, abs=1)
    assert stage.read(stage.sto, "flow_per_second") / 2**128 == pytest.approx(2 * DOLLAR)
    stage.chain.block(start + 200 * DAY, [])
    assert stage.claim(roles.depositor) == pytest.approx(3 * PAYMENT * DOLLAR // 4, abs=1)
    assert stage.read(stage.sto, "flow_per_second") == 0


def test_flash_purchase__around_a_payment__earns_the_holding_time_alone(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """The trader buys 750 of 1,000 tokens a second before a payment and holds two seconds."""
    before = stage.chain.timestamp() + 10
    move = stage.sto.call("transfer", roles.trader, 750 * TOKEN, sender=roles.second_depositor)
    stage.chain.send(move, before)
    stage.pay(PAYMENT, at=before + 1)
    back = ("transfer", roles.second_depositor, 750 * TOKEN)
    stage.send(stage.sto, *back, sender=roles.trader, at=before + 2)
    stage.wait(2 * QUARTER)
    # One second of flow, three quarters of it: 75 cents of 7.776 million dollars.
    assert stage.claim(roles.trader) == pytest.approx(DOLLAR * 3 // 4, abs=1)
    total = stage.claim(roles.second_depositor) + stage.claim(roles.trader)
    assert total == pytest.approx(PAYMENT * DOLLAR * 3 // 4, abs=2)


def test_flash_purchase__in_the_block_of_the_payment__earns_nothing(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    there = stage.sto.call("transfer", roles.trader, 750 * TOKEN, sender=roles.second_depositor)
    pay = stage.sto.call("distribute_funds", PAYMENT * DOLLAR, sender=roles.mine_operator)
    back = stage.sto.call("transfer", roles.second_depositor, 750 * TOKEN, sender=roles.trader)
    stage.chain.block(stage.chain.timestamp() + 1, [there, pay, back])
    stage.wait(2 * QUARTER)
    assert stage.claim(roles.trader) == 0


def balance_paths(stage: StoStage, roles: SimpleNamespace) -> dict[str, tuple[str, ...]]:
    """Each way in which a balance changes, as a call of the agent or the holder."""
    mine = roles.depositor
    return {
        "transfer": (mine, "transfer", roles.trader, 100 * TOKEN),
        "batch transfer": (mine, "batchTransfer", [roles.trader, mine], [60 * TOKEN, TOKEN]),
        "to itself": (mine, "transfer", mine, 100 * TOKEN),
        "mint": (roles.agent, "mint", mine, 1_000 * TOKEN),
        "batch mint": (roles.agent, "batchMint", [mine, roles.trader], [TOKEN, TOKEN]),
        "burn": (roles.agent, "burn", mine, 100 * TOKEN),
        "batch burn": (roles.agent, "batchBurn", [mine, mine], [100 * TOKEN, TOKEN]),
        "forced": (roles.agent, "forcedTransfer", mine, roles.trader, 250 * TOKEN),
        "batch forced": (
            roles.agent,
            "batchForcedTransfer",
            [mine, roles.second_depositor],
            [roles.trader, mine],
            [250 * TOKEN, 10 * TOKEN],
        ),
        "recovery": (
            roles.agent,
            "recoveryAddress",
            mine,
            roles.stranger,
            stage.identities["depositor"],
        ),
        "staking": (mine, "transfer", stage.staking.address, 100 * TOKEN),
    }


PATHS = (
    "transfer",
    "batch transfer",
    "to itself",
    "mint",
    "batch mint",
    "burn",
    "batch burn",
    "forced",
    "batch forced",
    "recovery",
    "staking",
)


def play_path(stage: StoStage, roles: SimpleNamespace, path: str, at: int) -> dict[str, int]:
    """Let 1,000 s flow, change a balance in that block, and return the claims by wallet."""
    start = stage.pay(PAYMENT).timestamp
    sender, function, *args = balance_paths(stage, roles)[path]
    stage.send(stage.sto, function, *args, sender=sender, at=start + at)
    wallets = (*(vars(roles)[role] for role in stage.identities), roles.stranger)
    everyone = (*wallets, stage.staking.address)
    return {wallet: stage.claim(wallet) for wallet in everyone if stage.claim(wallet)}


@pytest.mark.parametrize("path", PATHS)
def test_balance_path__keeps_what_everyone_has_earned(
    stage: StoStage, roles: SimpleNamespace, path: str
) -> None:
    claims = play_path(stage, roles, path, at=4_000)
    heir = roles.stranger if path == "recovery" else roles.depositor
    assert claims == {
        heir: pytest.approx(1_000 * DOLLAR, abs=1),
        roles.second_depositor: pytest.approx(3_000 * DOLLAR, abs=1),
    }


@pytest.mark.parametrize("path", PATHS)
def test_balance_path__what_flows_after_it_goes_to_the_new_balances(
    stage: StoStage, roles: SimpleNamespace, path: str
) -> None:
    before = play_path(stage, roles, path, at=4_000)
    supply = stage.read(stage.sto, "totalSupply")
    stage.wait(1_000)
    wallets = (*(vars(roles)[role] for role in stage.identities), roles.stranger)
    for wallet in (*wallets, stage.staking.address):
        grown = stage.claim(wallet) - before.get(wallet, 0)
        assert grown == pytest.approx(1_000 * DOLLAR * stage.balance(wallet) // supply, abs=2)


# Two broken contracts: each path below uses exactly one of the lines that are missing.
BROKEN = {
    "corrections dropped": (
        ("mining_sto.vy", "    dividend_stream._correct_transfer(owner, to, amount)\n", ""),
        ("mining_sto.vy", "    dividend_stream._correct_burn(owner, amount)\n", ""),
        (
            "mining_sto.vy",
            "    dividend_stream._correct_mint(to, amount, erc20.totalSupply)\n",
            "",
        ),
    ),
    "claim and credit dropped": (
        (
            "mining_sto.vy",
            "    dividend_stream._move_claim(_lostWallet, _newWallet, balance)\n",
            "",
        ),
        (
            "mining_sto.vy",
            "    self._thaw(owner, amount)\n    dividend_stream._accrue(erc20.totalSupply)\n"
            "    self._move(owner, to, amount)\n",
            "    self._thaw(owner, amount)\n    self._move(owner, to, amount)\n",
        ),
    ),
}


@pytest.fixture(scope="module")
def broken() -> dict[str, Artifact]:
    source = CONTRACTS / "mining_sto.vy"
    return {fault: compile_patched(source, *edits) for fault, edits in BROKEN.items()}


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ("corrections dropped", "transfer"),
        ("corrections dropped", "mint"),
        ("corrections dropped", "burn"),
        ("claim and credit dropped", "recovery"),
        ("claim and credit dropped", "forced"),
    ],
)
def test_balance_path__with_its_correction_dropped__is_found_out(
    revm: Chain, roles: SimpleNamespace, broken: dict[str, Artifact], fault: str, path: str
) -> None:
    stage = StoStage(revm, roles, patched={"mining_sto": broken[fault]})
    stage.mint(roles.depositor, 250)
    stage.mint(roles.second_depositor, 750)
    stage.pay(PAYMENT)
    stage.wait(2_000)
    # A credit in between, so that one token has earned something when the path is played.
    stage.send(stage.sto, "withdrawFunds", sender=roles.second_depositor)
    with pytest.raises(AssertionError):
        test_balance_path__keeps_what_everyone_has_earned(stage, roles, path)


# --- Books -------------------------------------------------------------------


def books(stage: StoStage) -> dict[str, float]:
    """Return the contract's books in dollars."""
    names = (
        "recorded_revenue",
        "distributed_profit",
        "returned_capital",
        "undistributed_revenue",
        "payout_owed",
        "total_distributed",
    )
    return {name: stage.read(stage.sto, name) / DOLLAR for name in names}


def test_books__payment_within_revenue__is_profit(stage: StoStage) -> None:
    receipt = stage.pay(600, revenue=1_000)
    paid = {"by": stage.roles.mine_operator, "fundsDistributed": 600 * DOLLAR}
    assert events(stage.sto, receipt) == [("FundsDistributed", paid)]
    assert books(stage) == {
        "recorded_revenue": 1_000,
        "distributed_profit": 600,
        "returned_capital": 0,
        "undistributed_revenue": 400,
        "payout_owed": 0,
        "total_distributed": 600,
    }


def test_books__payment_out_of_new_deposits__is_flagged_as_return_of_capital(
    stage: StoStage,
) -> None:
    """The mine earns 100 a quarter and pays 450, the rest out of what the next buyers paid."""
    stage.pay(450, revenue=100)
    receipt = stage.pay(450, revenue=100)
    flagged = {
        "by": stage.roles.mine_operator,
        "amount": 350 * DOLLAR,
        "total": 700 * DOLLAR,
    }
    assert events(stage.sto, receipt, "ReturnOfCapital") == [("ReturnOfCapital", flagged)]
    found = books(stage)
    assert (found["distributed_profit"], found["returned_capital"]) == (200, 700)
    assert found["total_distributed"] == 900


def test_books__revenue_recorded_after_a_payment__covers_later_payments_alone(
    stage: StoStage,
) -> None:
    stage.pay(100, revenue=0)
    stage.pay(100, revenue=300)
    found = books(stage)
    assert (found["distributed_profit"], found["returned_capital"]) == (100, 100)
    assert found["undistributed_revenue"] == 200


def test_books__payout_owed__is_what_the_promised_part_lacks(stage: StoStage) -> None:
    """Promised are 60 % of 1,000; 250 of them are paid."""
    stage.pay(250, revenue=1_000)
    assert books(stage)["payout_owed"] == 350


def test_return_capital__is_flagged_whatever_revenue_there_is(stage: StoStage) -> None:
    stage.pay(100, revenue=1_000)
    amount = 500 * DOLLAR
    receipt = stage.send(stage.sto, "return_capital", amount, sender=stage.roles.agent)
    names = [name for name, _ in events(stage.sto, receipt)]
    assert names == ["FundsDistributed", "ReturnOfCapital"]
    found = books(stage)
    assert (found["returned_capital"], found["undistributed_revenue"]) == (500, 900)
    stage.wait(2 * QUARTER)
    assert stage.claim(stage.roles.depositor) == pytest.approx(150 * DOLLAR, abs=1)


# --- Rounding, carrying, conservation ------------------------------------------


def check_conservation(stage: StoStage, holders: list[str]) -> None:
    """Paid + claimable + what still flows = paid in, short by less than a unit a holder."""
    paid_in = stage.read(stage.sto, "total_distributed")
    withdrawn = sum(stage.read(stage.sto, "withdrawnFundsOf", who) for who in holders)
    claims = sum(stage.claim(who) for who in holders)
    gap = paid_in - withdrawn - claims - stage.read(stage.sto, "unstreamed_funds")
    assert 0 <= gap < max(1, len(holders))
    assert stage.dollars(stage.sto.address) == paid_in - withdrawn


def test_conservation__to_the_unit__over_withdrawals_and_odd_amounts(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    holders = [roles.depositor, roles.second_depositor, roles.trader]
    stage.send(stage.sto, "mint", roles.trader, 7 * TOKEN // 3, sender=roles.agent)
    for amount, seconds in ((1, 7), (999_983, 86_399), (DOLLAR + 1, 1), (10**12 + 7, QUARTER)):
        stage.send(stage.sto, "distribute_funds", amount, sender=roles.mine_operator)
        check_conservation(stage, holders)
        stage.wait(seconds)
        check_conservation(stage, holders)
        stage.send(stage.sto, "withdrawFunds", sender=roles.trader)
        check_conservation(stage, holders)


def test_flow_to_nobody__is_carried_to_the_next_payment(
    revm: Chain, roles: SimpleNamespace
) -> None:
    stage = StoStage(revm, roles)
    start = stage.pay(PAYMENT).timestamp
    stage.send(stage.sto, "mint", roles.depositor, TOKEN - 1, sender=roles.agent, at=start + 10)
    # Less than one token: the flow still belongs to nobody.
    stage.send(stage.sto, "mint", roles.depositor, 1, sender=roles.agent, at=start + 1_000)
    stage.chain.block(start + 2 * QUARTER, [])
    earned = (QUARTER - 1_000) * DOLLAR
    assert stage.claim(roles.depositor) == pytest.approx(earned, abs=1)
    assert stage.read(stage.sto, "unstreamed_funds") == pytest.approx(1_000 * DOLLAR, abs=1)
    stage.send(stage.sto, "distribute_funds", 0, sender=roles.mine_operator)
    stage.wait(QUARTER)
    assert stage.claim(roles.depositor) == pytest.approx(PAYMENT * DOLLAR, abs=1)


def test_pause_and_lost_verification__do_not_stop_profit_but_a_freeze_does(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(1_000)
    stage.send(stage.sto, "pause", sender=roles.agent)
    stage.send(stage.registry, "deleteIdentity", roles.depositor, sender=roles.agent)
    stage.send(stage.sto, "setAddressFrozen", roles.depositor, True, sender=roles.agent)
    with refused("mining_sto: wallet is frozen"):
        stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    stage.send(stage.sto, "setAddressFrozen", roles.depositor, False, sender=roles.agent)
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    assert stage.dollars(roles.depositor) >= 250 * DOLLAR


def test_payments__more_than_flow_at_once__are_refused_until_one_ends(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    start = stage.pay(1).timestamp
    for _ in range(31):
        stage.pay(1)
    with refused("dividend_stream: too many payments flow"):
        stage.pay(1)
    stage.pay(1, at=start + QUARTER)
    stage.chain.block(start + 3 * QUARTER, [])
    assert stage.claim(roles.depositor) == pytest.approx(33 * DOLLAR // 4, abs=1)


def test_greatest_payments_and_supply__leave_every_path_open(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """All that may be paid flows to one token; then the supply grows to its bound."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 1)
    most = 10**19
    stage.send(stage.usdc, "mint", roles.mine_operator, most, sender=roles.owner)
    with refused("dividend_stream: payments are too large"):
        stage.send(stage.sto, "distribute_funds", most + 1, sender=roles.mine_operator)
    stage.send(stage.sto, "distribute_funds", most, sender=roles.mine_operator)
    stage.wait(QUARTER)
    with refused("dividend_stream: supply is too large"):
        stage.mint(roles.trader, 10**18)
    stage.mint(roles.trader, 10**18 - 1)
    stage.send(stage.sto, "transfer", roles.depositor, 10**35, sender=roles.trader)
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    stage.send(stage.sto, "withdrawFunds", sender=roles.trader)
    assert stage.dollars(roles.depositor) == pytest.approx(most, abs=1)
    assert stage.dollars(roles.trader) == 0


def test_recovery__hands_on_claims_below_a_unit(revm: Chain, roles: SimpleNamespace) -> None:
    """A third of 11 units is 3 2/3; with a third of 5 more that makes 2 1/3 beyond the 3."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 1)
    stage.mint(roles.trader, 2)
    stage.send(stage.sto, "distribute_funds", 11, sender=roles.mine_operator)
    stage.wait(QUARTER)
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    stage.send(stage.sto, "distribute_funds", 5, sender=roles.mine_operator)
    stage.wait(QUARTER)
    assert stage.dollars(roles.depositor) == 3
    assert stage.claim(roles.stranger) == 2
    check_conservation(stage, [roles.depositor, roles.stranger, roles.trader])


def test_registered_again__after_a_recovery__the_lost_wallet_starts_at_nothing(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    stage.pay(PAYMENT)
    stage.wait(1_000)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    stage.register(roles.depositor, identity_of(77), CHILE)
    half = ("transfer", roles.depositor, 125 * TOKEN)
    stage.send(stage.sto, *half, sender=roles.stranger)
    start, had = stage.chain.timestamp(), stage.claim(roles.stranger)
    stage.chain.block(start + 1_000, [])
    assert stage.claim(roles.depositor) == pytest.approx(125 * DOLLAR, abs=1)
    assert stage.claim(roles.stranger) - had == pytest.approx(125 * DOLLAR, abs=1)
