"""Corners that no other test turns: tokens that lie, empty pools, markets that lost everything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from cover_stage import CoverStage
from gold_stage import DOLLAR, OUNCE, UNLIMITED, GoldStage, MarketTerms
from handmade import FORGETFUL, MUTE, REFUSING_WITHOUT_WORDS, REVERTING
from props import deploy, events, refused
from sto_stage import TOKEN, StoStage

from simulator.chain import ZERO_ADDRESS, Artifact, Chain, load_artifact
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
FREE = MarketTerms(base_rate=0, slope1=0, slope2=0)


def lying_gold(old: str, new: str) -> Artifact:
    """Return the gold token with one of its lines replaced."""
    return compile_patched(CONTRACTS / "gold_token.vy", ("gold_token.vy", old, new))


def stage_with(
    chain: Chain, roles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, **patched: Artifact
) -> GoldStage:
    """A stage on which some contracts are not the packaged ones."""
    monkeypatch.setattr(
        "props.load_artifact", lambda name: patched.get(name) or load_artifact(name)
    )
    return GoldStage(chain, roles, market_terms=FREE)


# --- Tokens that lie ----------------------------------------------------------


@pytest.mark.parametrize("pool", ["vault", "market"])
def test_mint__of_a_token_that_keeps_a_wei_it_does_not_name__is_refused(
    revm: Chain, roles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, pool: str
):
    old = "erc20._transfer(owner, to, amount - fee)"
    keeping = lying_gold(old, "erc20._transfer(owner, to, amount - fee - 1)")
    stage = stage_with(revm, roles, monkeypatch, gold_token=keeping)
    me, contract = roles.depositor, getattr(stage, pool)
    stage.endow(me, 10 * OUNCE)
    with refused(f"{contract.name}: too little arrived"):
        stage.send(contract, "mint", OUNCE, me, sender=me)
    # A deposit counts what arrives.
    stage.send(contract, "deposit", OUNCE, me, sender=me)
    assert stage.read(contract, "balanceOf", me) == OUNCE - 1


def test_fee__of_a_token_that_reverts_with_a_number__is_none(
    revm: Chain, roles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    """What comes with a revert is no answer: not a fee of five wei."""
    number = "    return self._fee_for(amount)\n\n\n@external\n@view\ndef isBlocked"
    reverting = number.replace(
        "return self._fee_for(amount)", "raw_revert(abi_encode(convert(5, uint256)))"
    )
    stage = stage_with(revm, roles, monkeypatch, gold_token=lying_gold(number, reverting))
    assert stage.read(stage.market, "previewDeposit", OUNCE) == OUNCE


@pytest.mark.parametrize("pool", ["vault", "market"])
def test_mint_of_nothing__of_a_token_with_a_fee__costs_nothing(
    revm: Chain, roles: SimpleNamespace, pool: str
):
    """The least that must be sent so that nothing arrives is nothing, fee or not."""
    stage = GoldStage(revm, roles)
    contract = getattr(stage, pool)
    stage.send(stage.gold, "setFeeRate", 200, sender=roles.owner)
    assert stage.read(contract, "previewMint", 0) == 0
    assert stage.read(contract, "previewMint", OUNCE) > OUNCE


@pytest.mark.parametrize("function", ["transferFrom", "transfer", "approve"])
def test_movement__of_a_token_that_says_no__is_refused(
    revm: Chain, roles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, function: str
):
    last = {
        "transferFrom": "    self._transfer_less_fee(owner, to, amount)\n    return ",
        "transfer": "    self._transfer_less_fee(msg.sender, to, amount)\n    return ",
        "approve": "    erc20._approve(msg.sender, spender, amount)\n    return ",
    }[function]
    no = lying_gold(f"{last}True", f"{last}False")
    stage = stage_with(revm, roles, monkeypatch, gold_token=no)
    me, vault = roles.depositor, stage.vault
    stage.endow(me, 10 * OUNCE)
    if function == "transferFrom":
        with refused("asset_token: transfer failed"):
            stage.send(vault, "deposit", OUNCE, me, sender=me)
        return
    stage.send(vault, "deposit", 2 * OUNCE, me, sender=me)
    if function == "transfer":
        with refused("asset_token: transfer failed"):
            stage.send(vault, "withdraw", OUNCE, me, me, sender=me)
    else:
        stage.send(vault, "add_strategy", stage.pool, sender=roles.curator)
        with refused("strategy_book: approval failed"):
            stage.send(vault, "update_debt", stage.pool, OUNCE, sender=roles.curator)


def test_mint__of_a_token_whose_fee_takes_everything__is_refused(
    revm: Chain, roles: SimpleNamespace
):
    stage = GoldStage(revm, roles, market_terms=FREE)
    stage.send(stage.gold, "setFeeRate", 999_999, sender=roles.owner)
    assert stage.read(stage.vault, "previewMint", 1) == 1
    stage.send(stage.gold, "setFeeRate", 1_000_000, sender=roles.owner)
    assert stage.refusal(stage.vault, "previewMint", 1, sender=roles.depositor) == (
        "asset_token: fee takes everything"
    )


def test_withdraw__from_a_strategy_that_keeps_a_wei__is_refused(
    revm: Chain, roles: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    """What it keeps would be the others' loss, not the leaver's."""
    pays = "    asset_token._push(asset, receiver, assets)\n"
    keeping = compile_patched(
        CONTRACTS / "stage" / "stage_strategy.vy",
        ("stage/stage_strategy.vy", pays, pays.replace("assets)", "assets - 1)")),
    )
    stage = stage_with(revm, roles, monkeypatch, stage_strategy=keeping)
    me = roles.depositor
    stage.deposit(me, 10 * OUNCE)
    stage.place(stage.pool, 6 * OUNCE)
    stage.send(stage.vault, "withdraw", 4 * OUNCE, me, me, sender=me)
    with refused("strategy_book: strategies paid too little"):
        stage.send(stage.vault, "withdraw", OUNCE, me, me, sender=me)


# --- Views of the vault ---------------------------------------------------------


def test_convert_to_shares__is_the_price_turned_round(revm: Chain, roles: SimpleNamespace):
    """1,000 shares own 1,500 wei: 300 wei are 300 x 1,001 / 1,501 = 200.06 shares."""
    stage = GoldStage(revm, roles, market_terms=FREE)
    stage.deposit(roles.depositor, 1_000)
    stage.place(stage.pool, 1_000)
    stage.credit(500)
    stage.report(stage.pool)
    stage.wait(8 * 86_400)
    assert stage.read(stage.vault, "convertToShares", 300) == 200


def test_queue__has_nothing_pending_for_who_asked_for_nothing(revm: Chain, roles: SimpleNamespace):
    queue = deploy(revm, "vault_queue", 0, 1, sender=roles.owner)
    assert queue.read(revm, "pending_shares", 0, roles.stranger) == 0
    assert queue.read(revm, "claimable_assets", 0, roles.stranger) == 0


# --- A market that lost everything ------------------------------------------------


def test_market__whose_cash_was_burnt__takes_no_deposits(revm: Chain, roles: SimpleNamespace):
    """Shares that own nothing have no price."""
    stage = GoldStage(revm, roles, market_terms=FREE)
    stage.supply(roles.crowd, 10 * OUNCE)
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, stage.market.address, sender=roles.owner)
    assert stage.read(stage.market, "maxDeposit", roles.depositor) == 0
    stage.endow(roles.depositor, OUNCE)
    with refused("lending_market: exceeds deposit limit"):
        stage.send(stage.market, "deposit", OUNCE, roles.depositor, sender=roles.depositor)


def test_ltv__of_a_debt_whose_collateral_was_burnt__is_the_greatest_there_is(
    revm: Chain, roles: SimpleNamespace
):
    """The market the other way round: gold locked, dollars lent."""
    stage = GoldStage(revm, roles)
    terms = (stage.gold, stage.usdc, stage.gold_feed, stage.usd_feed, stage.feed_max_age)
    market = deploy(
        revm, "lending_market", *terms, roles.treasury, *FREE.args(), sender=roles.owner
    )
    lender, borrower = roles.crowd, roles.borrower
    stage.endow(lender, dollars=10_000)
    stage.endow(borrower, OUNCE)
    stage.send(stage.usdc, "approve", market, UNLIMITED, sender=lender)
    stage.send(stage.gold, "approve", market, UNLIMITED, sender=borrower)
    stage.send(market, "deposit", 10_000 * DOLLAR, lender, sender=lender)
    stage.send(market, "supply_collateral", OUNCE, borrower, sender=borrower)
    stage.send(market, "borrow", 2_000 * DOLLAR, borrower, sender=borrower)
    assert stage.read(market, "ltv", borrower) == 5 * 10**17  # 2,000 of 4,000
    for function in ("freeze", "wipeFrozenAddress", "unfreeze"):
        stage.send(stage.gold, function, market.address, sender=roles.owner)
    assert stage.read(market, "ltv", borrower) == UNLIMITED


# --- An empty cover, an empty strategy --------------------------------------------


def test_cover__empty_and_grown__converts_by_the_book(revm: Chain, roles: SimpleNamespace):
    """2,000 dollars for as many shares: one for one in both directions, up and down alike."""
    stage = CoverStage(revm, roles, pool_usd=0)
    assert (stage.read("capacity"), stage.read("utilisation")) == (0, 0)
    stage.deposit(2_000)
    for view in ("convertToShares", "previewWithdraw", "previewRedeem", "convertToAssets"):
        assert stage.read(view, 500 * DOLLAR) == 500 * DOLLAR


def test_strategy__that_lost_everything__gives_no_shares(revm: Chain, roles: SimpleNamespace):
    stage = GoldStage(revm, roles, market_terms=FREE)
    stage.deposit(roles.depositor, OUNCE)
    stage.place(stage.pool, OUNCE)
    assert stage.read(stage.pool, "previewDeposit", 7) == 7
    stage.seize(OUNCE)
    assert stage.read(stage.pool, "previewDeposit", 7) == 0


# --- Tokens that answer nothing -----------------------------------------------------


@pytest.mark.parametrize("name", ["staking", "farm"])
def test_recovery__of_a_token_whose_transfers_return_nothing__passes(
    revm: Chain, roles: SimpleNamespace, name: str
):
    """Some tokens return no truth value from a transfer; a failure of theirs reverts."""
    stage, owner = StoStage(revm, roles), roles.owner
    farm = deploy(
        revm, "staking_rewards", owner, owner, stage.usdc, stage.usdc, 86_400, sender=owner
    )
    mute = revm.deploy(MUTE, [], owner)
    contract = farm if name == "farm" else stage.staking
    receipt = stage.send(contract, "recoverERC20", mute, 7, sender=owner)
    assert events(contract, receipt) == [("Recovered", {"token": mute.address, "amount": 7})]


QUIET_TRANSFER = (
    "usdc.vy",
    """def transfer(to: address, amount: uint256) -> bool:
    \"\"\"
    @notice Moves tokens of the caller.
    @param to The 20-byte receiver address.
    @param amount The amount (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    \"\"\"
    self._check_moves(msg.sender, to)
    self._transfer(msg.sender, to, amount)
    return True
""",
    """def transfer(to: address, amount: uint256):
    self._check_moves(msg.sender, to)
    self._transfer(msg.sender, to, amount)
""",
)


def test_profit__in_dollars_whose_transfers_return_nothing__is_paid(
    revm: Chain, roles: SimpleNamespace
):
    """91 dollars over 91 days to the only holder: after half of them 45.5 can be claimed."""
    unnamed = (
        "usdc.vy",
        "implements: IERC20\n\n\nfrom ethereum.ercs import IERC20D",
        "from ethereum.ercs import IERC20D",
    )
    quiet = compile_patched(CONTRACTS / "usdc.vy", QUIET_TRANSFER, unnamed)
    stage = StoStage(revm, roles, stream_seconds=91 * 86_400, patched={"usdc": quiet})
    stage.mint(roles.depositor, 10)
    receipt = stage.send(stage.sto, "distribute_funds", 91 * DOLLAR, sender=roles.mine_operator)
    until = receipt.timestamp + 91 * 43_200
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor, at=until)
    paid = stage.read(stage.usdc, "balanceOf", roles.depositor)
    assert 0 <= 45_500_000 - paid <= 1  # rounded down


# --- The security token -----------------------------------------------------------


def test_recovery__of_a_single_frozen_wei__hands_it_over_frozen(
    revm: Chain, roles: SimpleNamespace
):
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 10)
    lost, new = roles.depositor, roles.stranger
    stage.send(stage.sto, "freezePartialTokens", lost, 1, sender=roles.agent)
    recover = ("recoveryAddress", lost, new, stage.identities["depositor"])
    stage.send(stage.sto, *recover, sender=roles.agent)
    assert stage.read(stage.sto, "getFrozenTokens", new) == 1
    assert stage.read(stage.sto, "getFrozenTokens", lost) == 0


def test_recovery__under_a_compliance_that_knows_of_none__passes(
    revm: Chain, roles: SimpleNamespace
):
    """The standard has no call for it: one that refuses it, gas to spare, does not stop it."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 10)
    other = revm.deploy(FORGETFUL, [], roles.owner)
    stage.send(stage.sto, "setCompliance", other, sender=roles.owner)
    recover = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *recover, sender=roles.agent)
    assert stage.balance(roles.stranger) == 10 * TOKEN


@pytest.mark.parametrize("rules", [REFUSING_WITHOUT_WORDS, REVERTING], ids=lambda a: a.name)
def test_transfer__that_a_compliance_forbids_without_a_word__says_so_in_general(
    revm: Chain, roles: SimpleNamespace, rules: Artifact
):
    """One answers `refusal_of` with nothing, the other reverts with a word that is no text."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 10)
    other = revm.deploy(rules, [], roles.owner)
    stage.send(stage.sto, "setCompliance", other, sender=roles.owner)
    with refused("compliance_check: the rules forbid it"):
        stage.send(stage.sto, "transfer", roles.trader, TOKEN, sender=roles.depositor)


def test_staking__without_stake__has_a_reward_of_nothing(revm: Chain, roles: SimpleNamespace):
    stage = StoStage(revm, roles)
    assert stage.read(stage.staking, "rewardPerToken") == 0
    stage.mint(roles.depositor, 10)
    stage.stake(roles.depositor, 10)
    assert stage.read(stage.staking, "carried") == 0


def test_compliance__that_is_let_go_of__books_nothing_and_asks_for_no_balance(
    revm: Chain, roles: SimpleNamespace
):
    """Nobody's balance is known to it, so a wallet may be named a custodian; sync does nothing."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 10)
    mine = stage.read(stage.registry, "identity", roles.depositor)
    assert stage.read(stage.compliance, "held_by", mine) == 10 * TOKEN
    with refused("compliance: custodian holds tokens"):
        stage.send(stage.compliance, "set_custodian", roles.depositor, True, sender=roles.owner)
    stage.send(stage.compliance, "unbindToken", stage.sto, sender=roles.owner)
    stage.send(stage.compliance, "sync", roles.depositor, sender=roles.stranger)
    stage.send(stage.compliance, "set_custodian", roles.depositor, True, sender=roles.owner)
    assert stage.read(stage.compliance, "held_by", mine) == 10 * TOKEN


def test_compliance__of_a_lock_up_that_is_not_all__lets_go_of_the_rest_alone(
    revm: Chain, roles: SimpleNamespace
):
    """7 of 10 tokens stay: 3 may go, 4 may not, nor may 11."""
    stage = StoStage(revm, roles)
    stage.mint(roles.depositor, 10)
    until = stage.chain.timestamp() + 86_400
    stage.send(
        stage.compliance, "set_lockup", roles.depositor, 7 * TOKEN, until, sender=roles.owner
    )

    def may_go(tokens: int) -> bool:
        args = (roles.depositor, roles.trader, tokens * TOKEN)
        return bool(stage.read(stage.compliance, "canTransfer", *args))

    assert [may_go(tokens) for tokens in (3, 4, 11)] == [True, False, False]


def test_compliance__of_a_claim_that_is_all_reserved__asks_for_the_country_alone(
    revm: Chain, roles: SimpleNamespace
):
    """A cap of 5 and 5 reserved: their mint passes whatever the cap says by then."""
    stage = StoStage(revm, roles)
    rules = stage.compliance
    stage.send(rules, "set_max_balance", 5 * TOKEN, sender=roles.owner)
    stage.send(rules, "reserve", roles.depositor, 5 * TOKEN, sender=roles.agent)
    stage.send(rules, "set_max_balance", 1, sender=roles.owner)
    may = ("canTransfer", ZERO_ADDRESS, roles.depositor)
    assert stage.read(rules, *may, 5 * TOKEN)
    assert not stage.read(rules, *may, 5 * TOKEN + 1)


def test_custodian__that_gives_more_than_it_was_entrusted_with__gives_within_the_cap(
    revm: Chain, roles: SimpleNamespace
):
    """4 of 10 tokens are entrusted and always come back; a fifth counts on top of the ten."""
    stage = StoStage(revm, roles)
    rules = stage.compliance
    stage.send(rules, "set_custodian", roles.staker, True, sender=roles.owner)
    stage.mint(roles.depositor, 10)
    stage.send(stage.sto, "transfer", roles.staker, 4 * TOKEN, sender=roles.depositor)
    stage.send(rules, "set_max_balance", 10 * TOKEN, sender=roles.owner)
    may = ("canTransfer", roles.staker, roles.depositor)
    assert [stage.read(rules, *may, tokens * TOKEN) for tokens in (4, 5)] == [True, False]
    stage.send(rules, "set_max_balance", 11 * TOKEN, sender=roles.owner)
    assert [stage.read(rules, *may, tokens * TOKEN) for tokens in (5, 6)] == [True, False]


def test_custodian__that_gives_to_another__counts_for_nobody(revm: Chain, roles: SimpleNamespace):
    """Between two who hold for others nothing changes for those it counts for."""
    stage = StoStage(revm, roles)
    for wallet in (roles.staker, roles.second_staker):
        stage.send(stage.compliance, "set_custodian", wallet, True, sender=roles.owner)
    stage.mint(roles.depositor, 10)
    mine = stage.read(stage.registry, "identity", roles.depositor)
    send = ("transfer", roles.staker, 4 * TOKEN)
    stage.send(stage.sto, *send, sender=roles.depositor)
    stage.send(stage.sto, "transfer", roles.second_staker, 4 * TOKEN, sender=roles.staker)
    assert stage.read(stage.compliance, "held_by", mine) == 10 * TOKEN
    assert stage.read(stage.compliance, "entrusted_by", roles.depositor) == 4 * TOKEN
    assert stage.read(stage.compliance, "entrusted_by", roles.staker) == 0
