"""Every rounding of the security token's family, at a value where its direction shows.

Funds of the token are counted in units x 2**128 ("magnified"). A supply of 2**k wei divides a
whole unit without rest; one of 3 x 2**60 wei leaves 2**60 of 2**128, since 2**68 = 1 mod 3.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from props import DOLLAR, events, refused
from sto_stage import TOKEN, StoStage, identity_of
from test_sto_raise import end, open_raise

from simulator.chain import ZERO_ADDRESS, Chain, Contract

THIRD = 2**60
"""Of a supply that does not divide 2**128, in wei; a token is 10**18, so that it is above one."""


def streaming(chain: Chain, roles: SimpleNamespace, seconds: int, **wei: int) -> StoStage:
    """Return a token whose payments flow for `seconds`, held as told in wei by role."""
    stage = StoStage(chain, roles, stream_seconds=seconds)
    for role, amount in wei.items():
        stage.send(stage.sto, "mint", getattr(roles, role), amount, sender=roles.agent)
    return stage


def pay_units(stage: StoStage, units: int) -> None:
    """Pay units of the funds token and let all of it flow."""
    pay = ("distribute_funds", units)
    stage.send(stage.sto, *pay, sender=stage.roles.mine_operator)
    stage.wait(stage.stream_seconds)


def unstreamed(stage: StoStage) -> int:
    return int(stage.read(stage.sto, "unstreamed_funds"))


# --- The stream -----------------------------------------------------------------------


def test_credit_of_a_token__rounds_down(revm: Chain, roles: SimpleNamespace) -> None:
    """1,000 units to a sole holder of 3 x 2**60 wei: 999.99.. of them; up, it were 1,000."""
    stage = streaming(revm, roles, 1, depositor=3 * THIRD)
    pay_units(stage, 1_000)
    assert (stage.claim(roles.depositor), unstreamed(stage)) == (999, 1)


def test_rest_of_the_credit__is_carried_until_it_makes_a_whole(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """Thrice a unit leaves 2**60, then 2 x 2**60, then nothing; dropped each time, 3 x 2**60."""
    stage = streaming(revm, roles, 1, depositor=3 * THIRD)
    for claim, rest in ((0, 1), (1, 1), (3, 0)):
        pay_units(stage, 1)
        assert (stage.claim(roles.depositor), unstreamed(stage)) == (claim, rest)
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 3


def test_rest_of_the_credit__is_carried_by_acts_as_by_views(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """The same three units, each credited by a withdrawal: 0, 1 and 2 are paid."""
    stage = streaming(revm, roles, 1, depositor=3 * THIRD)
    for paid in (0, 1, 3):
        pay_units(stage, 1)
        stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
        assert stage.dollars(roles.depositor) == paid


def test_flow_of_a_payment__rounds_down(revm: Chain, roles: SimpleNamespace) -> None:
    """2**128 over 3 s leaves 1: 2**128 - 1 flow, of which 2**60 wei are credited less than one."""
    stage = streaming(revm, roles, 3, depositor=THIRD)
    pay_units(stage, 1)
    assert (stage.claim(roles.depositor), unstreamed(stage)) == (0, 1)


def test_rest_of_the_flow__is_carried(revm: Chain, roles: SimpleNamespace) -> None:
    """Nobody holds, so all of it comes back: 2**128 - 1 that flowed and the 1 that did not.

    Less than a whole unit cannot be distributed.
    """
    stage = StoStage(revm, roles, stream_seconds=3)
    pay_units(stage, 1)
    assert unstreamed(stage) == 1
    restart = ("distribute_funds", 0)
    receipt = stage.send(stage.sto, *restart, sender=roles.mine_operator)
    assert events(stage.sto, receipt)[0][1]["fundsDistributed"] == 0
    # While it flows there is nothing to restart.
    with refused("dividend_stream: nothing to distribute"):
        stage.send(stage.sto, *restart, sender=roles.mine_operator)


def test_what_is_carried__flows_once(revm: Chain, roles: SimpleNamespace) -> None:
    """7 units flow to nobody and are paid again with 5 more: 12 in all, not 19."""
    stage = StoStage(revm, roles, stream_seconds=4)
    pay_units(stage, 7)
    stage.send(stage.sto, "mint", roles.depositor, THIRD, sender=roles.agent)
    assert (stage.claim(roles.depositor), unstreamed(stage)) == (0, 7)
    pay_units(stage, 5)
    assert (stage.claim(roles.depositor), unstreamed(stage)) == (12, 0)
    pay_units(stage, 1)
    assert (stage.claim(roles.depositor), unstreamed(stage)) == (13, 0)


def test_claim__rounds_down_and_keeps_its_fraction(revm: Chain, roles: SimpleNamespace) -> None:
    """A third of 4 units is 1.33: 1 is paid. With the third of 2 more, 0.33 + 0.67 make 1."""
    thirds = {"depositor": THIRD, "second_depositor": 2 * THIRD}
    stage = streaming(revm, roles, 1, **thirds)
    pay_units(stage, 4)
    assert stage.claim(roles.depositor) == 1
    # two thirds of 4 are 2.67
    assert stage.claim(roles.second_depositor) == 2
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    pay_units(stage, 2)
    assert stage.claim(roles.depositor) == 1
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 2


def test_claim_of_a_recovered_wallet__keeps_its_fraction(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """1.33 less the 1 that was paid; with 0.67 more that is one unit for the new wallet."""
    stage = streaming(revm, roles, 1, depositor=THIRD, trader=2 * THIRD)
    pay_units(stage, 4)
    stage.send(stage.sto, "withdrawFunds", sender=roles.depositor)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    assert stage.claim(roles.stranger) == 0
    pay_units(stage, 2)
    assert stage.claim(roles.stranger) == 1


def test_unstreamed_funds__round_up(revm: Chain, roles: SimpleNamespace) -> None:
    """Of a unit that flows for 4 s three quarters are left after one: told as 1, not as 0."""
    stage = streaming(revm, roles, 4, depositor=THIRD)
    stage.send(stage.sto, "distribute_funds", 1, sender=roles.mine_operator)
    found = []
    for _ in range(4):
        stage.wait(1)
        found.append((stage.claim(roles.depositor), unstreamed(stage)))
    assert found == [(0, 1), (0, 1), (0, 1), (1, 0)]


# --- The books ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revenue", "owed"), [(1, 0), (2, 1), (3, 1), (5, 3)], ids=lambda number: str(number)
)
def test_payout_owed__rounds_down(
    revm: Chain, roles: SimpleNamespace, revenue: int, owed: int
) -> None:
    """60 % of 1, 2, 3 and 5 units: 0.6, 1.2, 1.8 and exactly 3."""
    stage = StoStage(revm, roles, payout_bps=6_000)
    stage.send(stage.sto, "record_revenue", revenue, sender=roles.auditor)
    assert stage.read(stage.sto, "payout_owed") == owed


# --- The raise ------------------------------------------------------------------------


@pytest.fixture
def buyers(revm: Chain, roles: SimpleNamespace) -> StoStage:
    stage = StoStage(revm, roles)
    for role in ("depositor", "second_depositor"):
        stage.send(stage.usdc, "mint", getattr(roles, role), DOLLAR, sender=roles.owner)
    return stage


def test_tokens__round_down_on_the_sum_of_a_wallet(
    buyers: StoStage, roles: SimpleNamespace
) -> None:
    """At 7 units a token, 1 unit buys 10**18 / 7 = 142,857,142,857,142,857.14 wei.

    Seven payments of a unit buy a whole token; each rounded down they bought a wei less.
    """
    sale = open_raise(buyers, price=7, soft_cap=8, hard_cap=8)
    assert buyers.read(sale, "tokens_for", 1) == 142_857_142_857_142_857
    assert buyers.read(sale, "tokens_for", 6) == 857_142_857_142_857_142
    for _ in range(7):
        buyers.send(sale, "contribute", 1, sender=roles.depositor)
    assert buyers.read(buyers.compliance, "reserved_for", roles.depositor) == TOKEN
    buyers.send(sale, "contribute", 1, sender=roles.second_depositor)
    buyers.send(sale, "close", sender=roles.stranger)
    for wallet in (roles.depositor, roles.second_depositor):
        buyers.send(sale, "claim", wallet, sender=roles.stranger)
        assert buyers.read(buyers.compliance, "reserved_for", wallet) == 0
    found = [buyers.balance(who) for who in (roles.depositor, roles.second_depositor)]
    assert found == [TOKEN, 142_857_142_857_142_857]


def test_payment__for_less_than_a_token_wei__is_refused(
    buyers: StoStage, roles: SimpleNamespace
) -> None:
    """At 2 x 10**18 units a token, 1 unit is half a wei, rounded down to none; 3 units are one."""
    sale = open_raise(buyers, price=2 * 10**18, soft_cap=3, hard_cap=3)
    with refused("sto_raise: too little for a token wei"):
        buyers.send(sale, "contribute", 1, sender=roles.depositor)
    buyers.send(sale, "contribute", 3, sender=roles.depositor)
    buyers.send(sale, "close", sender=roles.stranger)
    buyers.send(sale, "claim", roles.depositor, sender=roles.stranger)
    assert buyers.balance(roles.depositor) == 1


def odd_raise(stage: StoStage, milestones: list[int]) -> Contract:
    """Return a raise of 10,001 units that is closed and claimed."""
    terms = {"soft_cap": 10_001, "hard_cap": 10_001, "milestones": milestones}
    sale = open_raise(stage, **terms)
    stage.send(sale, "contribute", 10_001, sender=stage.roles.depositor)
    stage.send(sale, "close", sender=stage.roles.stranger)
    stage.send(sale, "claim", stage.roles.depositor, sender=stage.roles.stranger)
    return sale


def test_milestones__round_down_on_their_sum_and_the_last_takes_the_rest(
    buyers: StoStage, roles: SimpleNamespace
) -> None:
    """Of 10,001 units: 3,333.3333, in all 6,667.6667 and all: 3,333, 3,334 and 3,334.

    The second, rounded by itself, were 3,334.3334, so 3,334 too; in all it is 6,667.
    """
    sale = odd_raise(buyers, [3_333, 3_334, 3_333])
    amounts = []
    for _ in range(3):
        receipt = buyers.send(sale, "release_milestone", sender=roles.verifier)
        amounts.append(events(sale, receipt)[0][1]["amount"])
    assert amounts == [3_333, 3_334, 3_334]
    assert buyers.dollars(sale.address) == 0


def test_return__takes_what_rounding_kept_from_the_mine(
    buyers: StoStage, roles: SimpleNamespace
) -> None:
    """99.99 % of 10,001 are 9,999.9999: the mine has 9,999 and the holders 2, not 1."""
    sale = odd_raise(buyers, [9_999, 1])
    buyers.send(sale, "release_milestone", sender=roles.verifier)
    buyers.chain.block(buyers.read(sale, "milestones_end"), [])
    receipt = buyers.send(sale, "return_unreleased", sender=roles.stranger)
    assert events(sale, receipt) == [("UnreleasedReturned", {"amount": 2})]
    assert buyers.read(sale, "released") == 9_999
    assert buyers.dollars(sale.address) == 0


def test_soft_cap__is_met_to_the_unit(buyers: StoStage, roles: SimpleNamespace) -> None:
    for paid, succeeded in ((999, False), (1_000, True)):
        sale = open_raise(buyers, soft_cap=1_000, hard_cap=2_000)
        buyers.send(sale, "contribute", paid, sender=roles.depositor)
        end(buyers, sale)
        assert buyers.read(sale, "has_succeeded") is succeeded


# --- The staking ----------------------------------------------------------------------

ALL = 2**119
"""Wei of a stake so large that a unit of profit, x 1e36, is 1.5046 for each wei of it; 2**119
divides 2**128, so that the token credits a unit in full."""


@pytest.fixture
def staked(revm: Chain, roles: SimpleNamespace) -> StoStage:
    """Return a token whose supply is all staked by the staker; payments flow for a second."""
    stage = streaming(revm, roles, 1, staker=ALL)
    stage.send(stage.sto, "approve", stage.staking, ALL, sender=roles.staker)
    stage.send(stage.staking, "stake", ALL, sender=roles.staker)
    return stage


def earned(stage: StoStage, wallet: str) -> int:
    return int(stage.read(stage.staking, "earned", wallet))


def test_profit_of_a_stake__rounds_down_for_each_wei(
    staked: StoStage, roles: SimpleNamespace
) -> None:
    """A unit is 1.5046 for a wei of stake, so 1: of it all the stake has 0.66. 2 were 1.33."""
    pay_units(staked, 1)
    assert staked.read(staked.staking, "rewardPerToken") == 1
    assert earned(staked, roles.staker) == 0


@pytest.mark.parametrize("credited", [False, True], ids=["viewed", "credited"])
def test_rest_of_the_profit__is_carried_until_it_makes_a_whole(
    staked: StoStage, roles: SimpleNamespace, credited: bool
) -> None:
    """1.5046, 3.0093 and 4.5139 for a wei: 1, 3 and 4, where dropped rests leave 1, 2 and 3.

    Of the stake that is 0.66, 1.99 and 2.66 units: 0, 1 and 2 are earned.
    """

    def credit() -> None:
        """Let one who has no stake ask: what has come is credited, and nobody is paid."""
        staked.send(staked.staking, "getReward", sender=roles.keeper)

    found = []
    for _ in range(3):
        pay_units(staked, 1)
        if credited:
            credit()
        per_token = staked.read(staked.staking, "rewardPerToken")
        found.append((per_token, earned(staked, roles.staker)))
        if not credited:
            credit()
    assert found == [(1, 0), (3, 1), (4, 2)]


def test_earnings__round_down_when_they_are_booked(
    staked: StoStage, roles: SimpleNamespace
) -> None:
    """1.33 units (2 for a wei) are paid as 1, and the staking has no more than it was paid."""
    for _ in range(2):
        pay_units(staked, 1)
    # 3 for a wei: 1.99
    staked.send(staked.staking, "getReward", sender=roles.staker)
    assert staked.dollars(roles.staker) == 1
    assert staked.dollars(staked.staking.address) == 1
    assert staked.read(staked.staking, "owed_rewards") == 1


def test_rewards_of_a_stake__round_down_for_each_wei(
    staked: StoStage, roles: SimpleNamespace
) -> None:
    """A unit a second: 1.5046 for a wei after one, so 1, of which the stake has 0.66."""
    units = staked.read(staked.staking, "rewardsDuration")
    staked.send(staked.usdc, "mint", staked.staking, units, sender=roles.owner)
    notify = ("notifyRewardAmount", units)
    staked.send(staked.staking, *notify, sender=roles.rewards_distribution)
    staked.wait(1)
    assert staked.read(staked.staking, "rewardPerToken") == 1
    assert earned(staked, roles.staker) == 0


def test_carried__rounds_down(revm: Chain, roles: SimpleNamespace) -> None:
    """A unit over 3 s to nobody is 3 x 0.33..: 18 nines behind the point, told as 0."""
    stage = StoStage(revm, roles)
    terms = (roles.owner, roles.rewards_distribution, stage.sto, 3)
    staking = stage.deploy("revenue_staking", *terms)
    stage.send(stage.usdc, "mint", staking, 1, sender=roles.owner)
    stage.send(staking, "notifyRewardAmount", 1, sender=roles.rewards_distribution)
    stage.wait(3)
    assert stage.read(staking, "carried") == 0


def test_profit_to_nobody__is_carried_in_full(revm: Chain, roles: SimpleNamespace) -> None:
    """Tokens that lie at the staking earn 5 units and nobody has staked: 5 are carried."""
    stage = streaming(revm, roles, 1, depositor=THIRD)
    stage.send(stage.sto, "transfer", stage.staking, THIRD, sender=roles.depositor)
    pay_units(stage, 5)
    assert stage.read(stage.staking, "carried") == 5
    stage.send(stage.staking, "getReward", sender=roles.keeper)
    assert stage.read(stage.staking, "carried") == 5


def test_claim_that_was_credited_and_taken_away__counts_as_nothing_new(
    staked: StoStage, roles: SimpleNamespace
) -> None:
    """5 units are credited and still with the token when the staking itself is recovered.

    Its claim is 0 then, 5 less than was credited; no stake waits until 5 more have come.
    """
    pay_units(staked, 5)
    staked.send(staked.staking, "withdraw", 1, sender=roles.staker)
    assert staked.read(staked.staking, "credited_profit") == 5
    moved = (staked.staking, roles.stranger, identity_of(100))
    staked.send(staked.sto, "recoveryAddress", *moved, sender=roles.agent)
    staked.register(staked.staking.address, identity_of(100))
    back = ("forcedTransfer", roles.stranger, staked.staking, 1)
    staked.send(staked.sto, *back, sender=roles.agent)
    assert staked.read(staked.sto, "accumulativeFundsOf", staked.staking) == 0
    staked.send(staked.staking, "withdraw", 1, sender=roles.staker)
    assert staked.balance(roles.staker) == 2


# --- The rules: no division, but bounds that stop at nothing ---------------------------


def test_books_of_the_rules__stop_at_zero(revm: Chain, roles: SimpleNamespace) -> None:
    """Bound late, they have seen 5 of 8 tokens come; 8 may leave, and nothing is left."""
    stage = StoStage(revm, roles)
    old, late = stage.compliance, stage.deploy("compliance")
    stage.send(stage.registry, "set_listener", ZERO_ADDRESS, sender=roles.owner)
    stage.send(stage.sto, "setCompliance", late, sender=roles.owner)
    stage.mint(roles.depositor, 5)
    stage.send(stage.sto, "setCompliance", old, sender=roles.owner)
    stage.mint(roles.depositor, 3)
    stage.send(stage.sto, "setCompliance", late, sender=roles.owner)
    held = ("held_by", stage.identities["depositor"])
    assert stage.read(late, *held) == 5 * TOKEN
    stage.send(stage.sto, "burn", roles.depositor, 8 * TOKEN, sender=roles.agent)
    assert stage.read(late, *held) == 0


def test_what_comes_back_from_a_custodian__is_entrusted_first_and_acquired_beyond(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """3 tokens entrusted, 5 come back: 3 counted already, 2 are new."""
    stage = StoStage(revm, roles)
    for role, tokens in (("depositor", 3), ("trader", 2)):
        stage.mint(getattr(roles, role), tokens)
        stage.stake(getattr(roles, role), tokens)
    back = ("forcedTransfer", stage.staking, roles.depositor, 5 * TOKEN)
    stage.send(stage.sto, *back, sender=roles.agent)
    assert stage.read(stage.compliance, "held_by", stage.identities["depositor"]) == 5 * TOKEN
    assert stage.read(stage.compliance, "entrusted_by", roles.depositor) == 0
