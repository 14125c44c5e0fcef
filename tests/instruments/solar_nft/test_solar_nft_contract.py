"""Solar tokens: their sums by hand, each refusal beside its success, and their standards."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from eth_utils import keccak
from handmade import DENYING, assembled
from props import DAY, DOLLAR, Refusal, check_refusal, check_standard, deploy, events, refused
from solar_stage import KWH, LOCK_DAYS, RECOVERY_BPS, ROYALTY_BPS, UNLIMITED, YEAR, SolarStage

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact
from simulator.errors import TransactionReverted

# Returns the selector of onERC721Received, 0x150b7a02, as 4 bytes at the left of a word:
# PUSH4 150b7a02 PUSH1 e0 SHL PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
WILLING = assembled("willing", "63150b7a0260e01b5f5260205ff3")
ACTIVE, RETIRED, PAID = 1, 2, 3


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> SolarStage:
    return SolarStage(revm, roles)


# --- Revenue --------------------------------------------------------------------


def test_revenue__is_shared_by_the_energy_of_each_panel(stage: SolarStage):
    """Panels give 30 and 60 kWh of a period that brings 9 dollars: 3 and 6."""
    me, other = stage.roles.depositor, stage.roles.second_depositor
    mine, others = stage.panel(me), stage.panel(other, watts=800)
    stage.go(30)
    stage.report(mine, 30)
    stage.report(others, 60)
    stage.share(9)
    # a third of 9 dollars: 9e6 x 2^128 // 90e6 per energy rounds down, and so does a view
    assert stage.read("pending", mine) == (3 * DOLLAR - 1, 0)
    assert stage.read("pending", others) == (6 * DOLLAR - 1, 0)
    assert stage.claim(me, mine) == 3 * DOLLAR - 1
    assert stage.claim(other, others) == 6 * DOLLAR - 1
    stage.check_books()


def test_revenue__that_a_division_leaves__joins_the_next_period(stage: SolarStage):
    """Two shares of a unit of 7 kWh each come to the whole once the rest is carried."""
    me = stage.roles.depositor
    mine = stage.panel(me)
    for period in range(1, 4):
        stage.go(30 * period)
        stage.report(mine, 7)
        stage.share(1)
    # each period's division leaves below a unit x 2^-128 x 7e6: three dollars less one unit
    assert stage.claim(me, mine) in (3 * DOLLAR, 3 * DOLLAR - 1)
    stage.go(120)
    stage.report(mine, 7)
    stage.share(0)
    assert stage.read("pending", mine)[0] == 0
    stage.check_books()


def test_period__without_energy__keeps_its_pot_for_the_next_one(stage: SolarStage):
    me = stage.roles.depositor
    mine = stage.panel(me)
    stage.share(5)
    stage.go(30)
    stage.report(mine, 32)
    stage.share(3)
    # 32e6 energy divides 8e6 x 2^128 without a rest
    assert stage.claim(me, mine) == 8 * DOLLAR


def test_off_taker__who_does_not_pay__leaves_a_period_without_revenue(stage: SolarStage):
    me = stage.roles.depositor
    mine = stage.panel(me)
    stage.go(30)
    stage.report(mine, 40)
    stage.share(0)
    assert stage.claim(me, mine) == 0
    stage.go(60)
    stage.report(mine, 32)
    stage.share(4)
    assert stage.claim(me, mine) == 4 * DOLLAR


def test_claim__outlives_a_transfer__and_is_the_sellers(stage: SolarStage):
    """Closed periods are the seller's; what is only reported goes with the token."""
    seller, buyer = stage.roles.depositor, stage.roles.second_depositor
    token = stage.panel(seller)
    stage.go(30)
    stage.report(token, 32)
    stage.share(4)
    stage.go(60)
    stage.report(token, 32)  # not closed yet when the token is sold
    stage.act("transferFrom", seller, buyer, token, by=seller)
    stage.share(6)
    assert stage.read("credited", seller) == (4 * DOLLAR, 0)
    assert stage.read("pending", token) == (6 * DOLLAR, 0)
    assert stage.claim(buyer, token) == 6 * DOLLAR
    assert stage.claim(seller) == 4 * DOLLAR
    assert stage.claim(seller) == 0
    stage.check_books()


def test_claim__is_settled_by_the_next_report__and_not_lost(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me)
    for period, usd in ((1, 4), (2, 8)):
        stage.go(30 * period)
        stage.report(token, 32)
        stage.share(usd)
    assert stage.read("credited", me) == (4 * DOLLAR, 0)
    assert stage.claim(me, token) == 12 * DOLLAR


def test_report__limit_is_what_the_rated_power_gives_less_whole_years(stage: SolarStage):
    """400 W for 30 days is 288 kWh; three years old at 50 bps a year 1.5 % less: 283.68."""
    me = stage.roles.depositor
    new, old = stage.panel(me), stage.panel(me, commissioned=stage.begin - 3 * YEAR)
    stage.go(30)
    for token, most in ((new, 288), (old, 283.68)):
        with refused("solar_nft: more than the panel can give"):
            stage.report(token, most + 1e-6)
        stage.report(token, most)
        stage.share(0)


def test_report__of_a_panel_that_has_lost_all_its_power__can_only_be_dark(stage: SolarStage):
    old = {"commissioned": stage.begin - 4 * YEAR, "degradation_bps": 3_000}
    token = stage.panel(stage.roles.depositor, **old)
    stage.go(30)
    with refused("solar_nft: more than the panel can give"):
        stage.report(token, 1e-6)
    stage.report(token, 0)


# --- Bonus ------------------------------------------------------------------------


def test_bonus__flows_to_locked_watts_by_time_and_watts(stage: SolarStage):
    """100 dollars over 100 days; alone for 10, then with a panel of three times the watts."""
    me, other = stage.roles.depositor, stage.roles.second_depositor
    mine, others = stage.panel(me, watts=400), stage.panel(other, watts=1_200)
    stage.act("fund_bonus", 100 * DOLLAR, 100 * DAY, by=stage.roles.owner)
    stage.act("lock", mine, by=me)
    stage.go(10)
    stage.act("lock", others, by=other)
    assert stage.read("locked_watts") == 1_600
    stage.go(50)
    # 10 days alone at a dollar a day, and a quarter of 40 more; views round down
    for token, dollars in ((mine, 10 + 40 // 4), (others, 40 * 3 // 4)):
        assert stage.read("pending", token)[1] == pytest.approx(dollars * DOLLAR, abs=1)
    stage.go(200)
    got = stage.claim(me, mine) + stage.claim(other, others)
    assert 100 * DOLLAR - 4 <= got <= 100 * DOLLAR
    assert stage.read("total_claimed_bonus") == got
    stage.check_books()


def test_bonus__without_locks__is_carried_to_the_next_funding(stage: SolarStage):
    """What flows for 20 of 40 days to nobody is paid out with the next funding."""
    me = stage.roles.depositor
    mine = stage.panel(me)
    stage.act("fund_bonus", 40 * DOLLAR, 40 * DAY, by=stage.roles.owner)
    stage.go(20)
    stage.act("lock", mine, by=me)
    stage.go(60)
    assert stage.read("pending", mine)[1] == pytest.approx(20 * DOLLAR, abs=1)
    stage.act("fund_bonus", 10 * DOLLAR, 10 * DAY, by=stage.roles.owner)
    stage.go(70)
    assert stage.read("pending", mine)[1] == pytest.approx(50 * DOLLAR, abs=1)
    stage.go(200)
    assert stage.claim(me, mine) == pytest.approx(50 * DOLLAR, abs=1)


def test_bonus__funded_again_while_it_flows__flows_together(stage: SolarStage):
    """After 10 of 40 days 30 dollars are left; with 20 more they flow over 10 days: 5 a day."""
    me = stage.roles.depositor
    mine = stage.panel(me)
    stage.act("fund_bonus", 40 * DOLLAR, 40 * DAY, by=stage.roles.owner)
    stage.act("lock", mine, by=me)
    stage.go(10)
    stage.act("fund_bonus", 20 * DOLLAR, 10 * DAY, by=stage.roles.owner)
    assert stage.read("bonus_end") == stage.chain.timestamp() + 10 * DAY
    stage.go(12)
    assert stage.read("pending", mine)[1] == pytest.approx((10 + 2 * 5) * DOLLAR, abs=1)


def test_locked_token__cannot_be_sent_until_its_lock_is_over(stage: SolarStage):
    me, other = stage.roles.depositor, stage.roles.second_depositor
    mine = stage.panel(me)
    stage.act("fund_bonus", 180 * DOLLAR, 180 * DAY, by=stage.roles.owner)
    receipt = stage.act("lock", mine, by=me)
    assert events(stage.nft, receipt) == [("Locked", {"tokenId": mine})]
    assert stage.read("locked", mine)
    with refused("solar_nft: panel is locked"):
        stage.act("transferFrom", me, other, mine, by=me)
    stage.go(LOCK_DAYS - 1 / DAY)
    with refused("solar_nft: lock is not over"):
        stage.act("unlock", mine, by=me)
    stage.go(LOCK_DAYS + 10)
    # until it is unlocked it goes on earning, a dollar a day
    receipt = stage.act("unlock", mine, by=me)
    assert events(stage.nft, receipt) == [("Unlocked", {"tokenId": mine})]
    assert stage.read("credited", me)[1] == pytest.approx((LOCK_DAYS + 10) * DOLLAR, abs=1)
    assert stage.read("locked_watts") == 0
    stage.act("transferFrom", me, other, mine, by=me)
    # and the buyer can lock it anew
    stage.act("lock", mine, by=other)
    stage.go(LOCK_DAYS + 20)
    assert stage.read("pending", mine)[1] == pytest.approx(10 * DOLLAR, abs=1)
    assert stage.claim(me) == pytest.approx((LOCK_DAYS + 10) * DOLLAR, abs=1)


# --- End of life --------------------------------------------------------------------


def test_silver__is_paid_once_at_the_feed_and_the_recovery_rate(stage: SolarStage):
    """4,000 mg at 31 USD an ounce and 70 %: 4 / 31.1034768 x 31 x 0.7 = 2.790685 USD."""
    me = stage.roles.depositor
    mine = stage.panel(me)
    expected = 4_000 * 10**4 * RECOVERY_BPS * 31 * 10**6 // (311_034_768 * 10**4)
    assert expected == 2_790_684
    assert stage.read("silver_value", mine) == expected
    with refused("solar_nft: panel is in service"):
        stage.act("claim_silver", mine, by=me)
    stage.act("retire", mine, by=stage.roles.agent)
    stage.act("fund_silver", expected - 1, by=stage.roles.owner)
    with refused("solar_nft: silver reserve is too small"):
        stage.act("claim_silver", mine, by=me)
    stage.act("fund_silver", 1, by=stage.roles.owner)
    before = stage.dollars(me)
    receipt = stage.act("claim_silver", mine, by=me)
    assert stage.dollars(me) - before == expected
    found = {"token_id": mine, "owner": me, "amount": expected, "price": 31 * 10**18}
    assert ("SilverClaimed", found) in events(stage.nft, receipt)
    assert stage.read("panelOf", mine)[4] == PAID
    assert stage.read("silver_value", mine) == 0
    assert stage.read("silver_reserve") == 0
    with refused("solar_nft: silver was claimed before"):
        stage.act("claim_silver", mine, by=me)
    stage.check_books()


def test_silver__goes_with_the_token(stage: SolarStage):
    seller, buyer = stage.roles.depositor, stage.roles.second_depositor
    token = stage.panel(seller)
    stage.act("retire", token, by=stage.roles.agent)
    stage.act("fund_silver", 10 * DOLLAR, by=stage.roles.owner)
    stage.act("transferFrom", seller, buyer, token, by=seller)
    with refused("solar_nft: caller is not the owner"):
        stage.act("claim_silver", token, by=seller)
    stage.act("claim_silver", token, by=buyer)


def test_silver__of_a_panel_without_any__is_claimed_for_nothing(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me, silver_mg=0)
    stage.act("retire", token, by=stage.roles.agent)
    stage.act("claim_silver", token, by=me)
    assert stage.read("panelOf", token)[4] == PAID


def test_silver__at_a_stale_price__waits(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me)
    stage.act("retire", token, by=stage.roles.agent)
    stage.act("fund_silver", 10 * DOLLAR, by=stage.roles.owner)
    stage.go(5 + 1 / DAY)
    with refused("feed: answer is too old"):
        stage.act("claim_silver", token, by=me)
    stage.silver(31)
    stage.act("claim_silver", token, by=me)


def test_silver__while_its_market_is_closed__is_paid_at_its_last_price(stage: SolarStage):
    """Metals stand still from Friday to Sunday: there is no younger price to wait for."""
    me = stage.roles.depositor
    token = stage.panel(me)
    stage.act("retire", token, by=stage.roles.agent)
    stage.act("fund_silver", 10 * DOLLAR, by=stage.roles.owner)
    stage.send(stage.feed, "set_market_status", 1, by=stage.roles.keeper)
    stage.go(6)
    worth = stage.read("silver_value", token)
    assert worth > 0
    before = stage.dollars(me)
    stage.act("claim_silver", token, by=me)
    assert stage.dollars(me) - before == worth


def test_retired_panel__is_still_paid_for_what_it_gave__and_its_lock_ends(stage: SolarStage):
    me, other = stage.roles.depositor, stage.roles.second_depositor
    token = stage.panel(me)
    stage.act("fund_bonus", 100 * DOLLAR, 100 * DAY, by=stage.roles.owner)
    stage.act("lock", token, by=me)
    stage.go(30)
    stage.report(token, 32)
    receipt = stage.act("retire", token, by=stage.roles.agent)
    names = [name for name, _ in events(stage.nft, receipt)]
    assert names == ["Unlocked", "PanelRetired", "MetadataUpdate"]
    stage.share(4)
    stage.go(60)
    with refused("solar_nft: panel is retired"):
        stage.report(token, 1)
    with refused("solar_nft: panel is retired"):
        stage.act("lock", token, by=me)
    with refused("solar_nft: panel is retired"):
        stage.act("retire", token, by=stage.roles.agent)
    stage.act("transferFrom", me, other, token, by=me)
    # 4 dollars of energy and 30 days' bonus
    assert stage.claim(me) == pytest.approx(34 * DOLLAR, abs=1)
    stage.check_books()


# --- Refusals ------------------------------------------------------------------------


REFUSALS = [
    Refusal(
        "ownable: caller is not the owner",
        ("@stranger", "commission", "@depositor", 400, 0, 50, 4_000),
        ("@owner", "commission", "@depositor", 400, 0, 50, 4_000),
    ),
    Refusal(
        "solar_nft: panel of no watts",
        ("@owner", "commission", "@depositor", 0, 0, 50, 0),
        ("@owner", "commission", "@depositor", 1, 0, 50, 0),
    ),
    Refusal(
        "solar_nft: too many watts",
        ("@owner", "commission", "@depositor", 10**12 + 1, 0, 50, 0),
        ("@owner", "commission", "@depositor", 10**12, 0, 50, 0),
    ),
    Refusal(
        "solar_nft: degradation above 100 %",
        ("@owner", "commission", "@depositor", 400, 0, 10_001, 0),
        ("@owner", "commission", "@depositor", 400, 0, 10_000, 0),
    ),
    Refusal(
        "solar_nft: too much silver",
        ("@owner", "commission", "@depositor", 400, 0, 50, 40_001),
        ("@owner", "commission", "@depositor", 400, 0, 50, 40_000),
    ),
    Refusal(
        "erc721: mint to the zero address",
        ("@owner", "commission", ZERO_ADDRESS, 400, 0, 50, 0),
        ("@owner", "commission", "@depositor", 400, 0, 50, 0),
    ),
    Refusal(
        "ownable: caller is not the owner",
        ("@stranger", "set_operator", "@stranger"),
        ("@owner", "set_operator", "@stranger"),
    ),
    Refusal(
        "solar_nft: operator is the zero address",
        ("@owner", "set_operator", ZERO_ADDRESS),
        ("@owner", "set_operator", "@agent"),
    ),
    Refusal(
        "solar_nft: caller is not the operator",
        ("@owner", "report_generation", 1, 0, 1),
        ("@agent", "report_generation", 1, 0, 1),
    ),
    Refusal(
        "erc721: invalid token ID",
        ("@agent", "report_generation", 9, 0, 1),
        ("@agent", "report_generation", 1, 0, 1),
    ),
    Refusal(
        "energy_revenue: period is not open",
        ("@agent", "report_generation", 1, 0, 2),
        ("@agent", "report_generation", 1, 0, 1),
    ),
    Refusal(
        "energy_revenue: period was reported before",
        ("@agent", "report_generation", 1, 0, 1),
        ("@agent", "report_generation", 1, 0, 2),
        before=(("@agent", "report_generation", 1, 0, 1),),
        lift=(("@agent", "close_period"),),
    ),
    Refusal(
        "solar_nft: caller is not the operator",
        ("@owner", "close_period"),
        ("@agent", "close_period"),
    ),
    Refusal(
        "solar_nft: caller is not the operator",
        ("@owner", "retire", 1),
        ("@agent", "retire", 1),
    ),
    Refusal(
        "energy_revenue: nothing to deposit",
        ("@owner", "deposit_revenue", 0),
        ("@owner", "deposit_revenue", 1),
    ),
    Refusal(
        "energy_revenue: revenue is too large",
        ("@owner", "deposit_revenue", 10**19 + 1),
        ("@owner", "deposit_revenue", 10**19),
    ),
    Refusal(
        "ownable: caller is not the owner",
        ("@depositor", "fund_bonus", 1, 1),
        ("@owner", "fund_bonus", 1, 1),
    ),
    Refusal(
        "lock_bonus: nothing to fund",
        ("@owner", "fund_bonus", 0, 1),
        ("@owner", "fund_bonus", 1, 1),
    ),
    Refusal(
        "lock_bonus: bonus of no length",
        ("@owner", "fund_bonus", 1, 0),
        ("@owner", "fund_bonus", 1, 1),
    ),
    Refusal(
        "lock_bonus: bonus is too large",
        ("@owner", "fund_bonus", 10**19 + 1, 1),
        ("@owner", "fund_bonus", 10**19, 1),
    ),
    Refusal(
        "solar_nft: nothing to fund",
        ("@owner", "fund_silver", 0),
        ("@owner", "fund_silver", 1),
    ),
    Refusal(
        "solar_nft: caller is not the owner",
        ("@stranger", "claim", [1]),
        ("@depositor", "claim", [1]),
    ),
    Refusal(
        "solar_nft: caller is not the owner",
        ("@stranger", "lock", 1),
        ("@depositor", "lock", 1),
    ),
    Refusal(
        "lock_bonus: panel is locked already",
        ("@depositor", "lock", 1),
        before=(("@depositor", "lock", 1),),
        lift=(("@agent", "retire", 1), ("@owner", "commission", "@depositor", 1, 0, 0, 0)),
        allowed=("@depositor", "lock", 2),
    ),
    Refusal(
        "solar_nft: caller is not the owner",
        ("@stranger", "unlock", 1),
        ("@depositor", "lock", 1),
    ),
    Refusal(
        "solar_nft: panel is not locked",
        ("@depositor", "unlock", 1),
        ("@depositor", "lock", 1),
    ),
    Refusal(
        "solar_nft: caller is neither owner nor approved",
        ("@stranger", "transferFrom", "@depositor", "@stranger", 1),
        ("@depositor", "transferFrom", "@depositor", "@stranger", 1),
    ),
    Refusal(
        "solar_nft: caller is neither owner nor approved",
        ("@stranger", "transferFrom", "@depositor", "@stranger", 1),
        lift=(("@depositor", "approve", "@stranger", 1),),
    ),
    Refusal(
        "erc721: transfer from incorrect owner",
        ("@depositor", "transferFrom", "@stranger", "@trader", 1),
        ("@depositor", "transferFrom", "@depositor", "@trader", 1),
    ),
    Refusal(
        "erc721: transfer to the zero address",
        ("@depositor", "transferFrom", "@depositor", ZERO_ADDRESS, 1),
        ("@depositor", "transferFrom", "@depositor", "@trader", 1),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_refusal__beside_its_success(stage: SolarStage, case: Refusal):
    stage.panel(stage.roles.depositor)
    stage.send(stage.usdc, "mint", stage.roles.owner, 10**20, by=stage.roles.owner)
    check_refusal(stage.chain, stage.nft, vars(stage.roles), case)


def test_commission__in_the_future__is_refused(stage: SolarStage):
    now = stage.chain.timestamp()
    with refused("solar_nft: commissioned in the future"):
        stage.panel(stage.roles.depositor, commissioned=now + 1)
    stage.panel(stage.roles.depositor, commissioned=now)


@pytest.mark.parametrize("view", ["panelOf", "pending", "locked", "silver_value", "tokenURI"])
def test_views__of_a_token_that_does_not_exist__are_refused(stage: SolarStage, view: str):
    stage.panel(stage.roles.depositor)
    stage.read(view, 1)
    with refused("erc721: invalid token ID"):
        stage.read(view, 2)


CONSTRUCTOR = [
    ("usdc", ZERO_ADDRESS, "solar_nft: usdc is the zero address"),
    ("feed", ZERO_ADDRESS, "solar_nft: silver feed is the zero address"),
    ("recovery_bps", 10_001, "solar_nft: recovery above 100 %"),
    ("royalty_bps", 10_001, "solar_nft: royalty above 100 %"),
    ("receiver", ZERO_ADDRESS, "solar_nft: royalty receiver is the zero address"),
    ("lock_seconds", 0, "lock_bonus: lock of no length"),
]


@pytest.mark.parametrize(("field", "value", "reason"), CONSTRUCTOR)
def test_constructor__refuses_what_makes_no_sense(
    stage: SolarStage, field: str, value: object, reason: str
):
    def deployed(**changes: object) -> None:
        deploy(stage.chain, "solar_nft", *stage.arguments(**changes), sender=stage.roles.owner)

    with refused(reason):
        deployed(**{field: value})
    least = {"recovery_bps": 10_000, "royalty_bps": 10_000, "lock_seconds": 1}
    deployed(**({field: least[field]} if field in least else {}))


def test_payable__is_what_erc721_wants_to_be():
    payable = [
        item["name"]
        for item in load_artifact("solar_nft").abi
        if item.get("stateMutability") == "payable"
    ]
    assert set(payable) == {"approve", "transferFrom", "safeTransferFrom"}


def test_transfer__with_ether__is_refused(stage: SolarStage):
    """Nobody could take it out. A chain's calls carry none, so the EVM is asked beneath it."""
    me, other = stage.roles.depositor, stage.roles.trader
    call = stage.nft.call("transferFrom", me, other, stage.panel(me), sender=me)
    evm: Any = stage.chain
    if stage.chain.name != "revm":
        pytest.skip("asks pyrevm beneath the chain")
    with pytest.raises(RuntimeError, match=b"takes no ether".hex()):
        evm._evm.message_call(me, call.to, call.data, value=1)
    evm._evm.message_call(me, call.to, call.data, value=0)
    assert stage.read("ownerOf", 1) == other


# --- Tokens ---------------------------------------------------------------------------


def test_token__says_what_it_stands_for(stage: SolarStage):
    me = stage.roles.depositor
    then = stage.begin - YEAR
    receipt = stage.act("commission", me, 400, then, 50, 4_000, "a4", by=stage.roles.owner)
    facts = {"watts": 400, "commissioned": then, "degradation_bps": 50, "silver_mg": 4_000}
    assert events(stage.nft, receipt) == [
        ("PanelCommissioned", {"token_id": 1, **facts}),
        ("Transfer", {"sender": ZERO_ADDRESS, "receiver": me, "token_id": 1}),
        ("MetadataUpdate", {"_tokenId": 1}),
    ]
    assert stage.read("panelOf", 1) == (400, then, 50, 4_000, ACTIVE)
    assert (stage.read("ownerOf", 1), stage.read("balanceOf", me)) == (me, 1)
    assert stage.read("tokenURI", 1) == "ipfs://panels/a4"
    stage.panel(me)
    assert stage.read("tokenURI", 2) == "ipfs://panels/2"
    assert [stage.read("tokenOfOwnerByIndex", me, i) for i in range(2)] == [1, 2]
    assert stage.read("tokenByIndex", 1) == 2


def test_royalty__is_its_share_of_a_price(stage: SolarStage):
    stage.panel(stage.roles.depositor)
    expected = (stage.roles.treasury, 1_000_001 * ROYALTY_BPS // 10_000)
    assert stage.read("royaltyInfo", 1, 1_000_001) == expected


def test_safe_transfer__asks_a_receiving_contract(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me)
    deaf, denying, willing = (
        stage.chain.deploy(found, (), sender=me)
        for found in (assembled("stopped", "00"), DENYING, WILLING)
    )
    for receiver in (deaf, denying):
        with pytest.raises(TransactionReverted):
            stage.act("safeTransferFrom", me, receiver, token, by=me)
    stage.act("safeTransferFrom", me, willing, token, by=me)
    assert stage.read("ownerOf", token) == willing.address
    other = stage.panel(me)
    stage.act("safeTransferFrom", me, stage.roles.trader, other, b"\x01", by=me)
    # without `safe` nobody is asked
    third = stage.panel(me)
    stage.act("transferFrom", me, deaf, third, by=me)


def test_commission__to_a_contract_that_takes_no_tokens__is_refused(stage: SolarStage):
    denying, willing = (
        stage.chain.deploy(found, (), sender=stage.roles.owner) for found in (DENYING, WILLING)
    )
    with refused("erc721: transfer to non-IERC721Receiver implementer"):
        stage.panel(denying.address)
    stage.panel(willing.address)


ERC721_FUNCTIONS = {
    "balanceOf(address)": "uint256",
    "ownerOf(uint256)": "address",
    "safeTransferFrom(address,address,uint256,bytes)": "",
    "safeTransferFrom(address,address,uint256)": "",
    "transferFrom(address,address,uint256)": "",
    "approve(address,uint256)": "",
    "setApprovalForAll(address,bool)": "",
    "getApproved(uint256)": "address",
    "isApprovedForAll(address,address)": "bool",
}
METADATA = {"name()": "string", "symbol()": "string", "tokenURI(uint256)": "string"}
ENUMERABLE = {
    "totalSupply()": "uint256",
    "tokenByIndex(uint256)": "uint256",
    "tokenOfOwnerByIndex(address,uint256)": "uint256",
}
ROYALTY = {"royaltyInfo(uint256,uint256)": "address,uint256"}
SOULBOUND = {"locked(uint256)": "bool"}
DETECTION = {"supportsInterface(bytes4)": "bool"}
ERC721_TOPICS = {
    "Transfer(address,address,uint256)": 3,
    "Approval(address,address,uint256)": 3,
    "ApprovalForAll(address,address,bool)": 2,
    "MetadataUpdate(uint256)": 0,
    "Locked(uint256)": 0,
    "Unlocked(uint256)": 0,
}
OWN = {
    "panelOf(uint256)": "uint256,uint256,uint256,uint256,uint256",
    "report_generation(uint256,uint256,uint256)": "",
    "deposit_revenue(uint256)": "",
    "pending(uint256)": "uint256,uint256",
    "claim(uint256[])": "uint256",
    "lock(uint256)": "",
    "unlock(uint256)": "",
    "retire(uint256)": "",
    "claim_silver(uint256)": "uint256",
}


def identifier(functions: dict[str, str]) -> bytes:
    """Return the exclusive or of the selectors, as ERC-165 has it."""
    found = 0
    for signature in functions:
        found ^= int.from_bytes(keccak(text=signature)[:4], "big")
    return found.to_bytes(4, "big")


def test_interface__has_the_standards_by_selector_and_topic__and_a_size_that_fits():
    standards = (ERC721_FUNCTIONS, METADATA, ENUMERABLE, ROYALTY, SOULBOUND, DETECTION, OWN)
    functions = {name: out for part in standards for name, out in part.items()}
    artifact = load_artifact("solar_nft")
    check_standard(artifact, functions, ERC721_TOPICS)
    assert artifact.deployed_size <= 24_576


@pytest.mark.parametrize(
    ("functions", "stated"),
    [
        (DETECTION, "01ffc9a7"),
        (ERC721_FUNCTIONS, "80ac58cd"),
        (METADATA, "5b5e139f"),
        (ENUMERABLE, "780e9d63"),
        (ROYALTY, "2a55205a"),
        (SOULBOUND, "b45a3c0e"),
        (None, "49064906"),  # ERC-4906 has events alone, and states its identifier
    ],
)
def test_erc165__knows_the_identifiers_that_the_standards_state(
    stage: SolarStage, functions: dict[str, str] | None, stated: str
):
    assert functions is None or identifier(functions).hex() == stated
    assert stage.read("supportsInterface", bytes.fromhex(stated))


@pytest.mark.parametrize("other", ["ffffffff", "d9b67a26", "00000000"])
def test_erc165__denies_what_is_not_there(stage: SolarStage, other: str):
    """0xffffffff must be denied by ERC-165 itself; 0xd9b67a26 is ERC-1155."""
    assert not stage.read("supportsInterface", bytes.fromhex(other))


def test_transfer__to_the_collection_itself__is_refused(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me)
    with refused("solar_nft: receiver is the collection"):
        stage.act("transferFrom", me, stage.nft, token, by=me)
    stage.act("transferFrom", me, stage.desk, token, by=me)


def test_approval__ends_with_the_transfer(stage: SolarStage):
    me, other = stage.roles.depositor, stage.roles.second_depositor
    token = stage.panel(me)
    stage.act("approve", stage.roles.trader, token, by=me)
    stage.act("transferFrom", me, other, token, by=stage.roles.trader)
    assert stage.read("getApproved", token) == ZERO_ADDRESS
    with refused("solar_nft: caller is neither owner nor approved"):
        stage.act("transferFrom", other, me, token, by=stage.roles.trader)
    stage.act("setApprovalForAll", stage.roles.trader, True, by=other)
    stage.act("transferFrom", other, me, token, by=stage.roles.trader)


def test_funding__by_anybody__is_told(stage: SolarStage):
    giver = stage.roles.depositor
    receipt = stage.act("deposit_revenue", 7, by=giver)
    assert events(stage.nft, receipt) == [
        ("RevenueDeposited", {"by": giver, "period": 1, "amount": 7})
    ]
    receipt = stage.act("fund_silver", 9, by=giver)
    assert events(stage.nft, receipt) == [("SilverFunded", {"by": giver, "amount": 9})]
    receipt = stage.act("fund_bonus", 8, 60, by=stage.roles.owner)
    found = {"by": stage.roles.owner, "amount": 8, "end": stage.chain.timestamp() + 60}
    assert events(stage.nft, receipt) == [("BonusFunded", found)]
    stage.check_books()


def test_period__tells_what_was_reported_and_shared(stage: SolarStage):
    token = stage.panel(stage.roles.depositor)
    stage.go(1)
    receipt = stage.act("report_generation", token, 2 * KWH, 1, by=stage.roles.agent)
    found = {"token_id": token, "period": 1, "energy": 2 * KWH}
    assert events(stage.nft, receipt) == [("GenerationReported", found)]
    assert stage.read("open_energy") == 2 * KWH
    stage.act("deposit_revenue", DOLLAR, by=stage.roles.owner)
    receipt = stage.act("close_period", by=stage.roles.agent)
    found = {"period": 1, "energy": 2 * KWH, "shared": DOLLAR}
    assert events(stage.nft, receipt) == [("PeriodClosed", found)]
    assert (stage.read("open_period"), stage.read("open_energy")) == (2, 0)
    receipt = stage.act("claim", [token], by=stage.roles.depositor)
    found = {"account": stage.roles.depositor, "revenue": DOLLAR, "bonus": 0}
    assert events(stage.nft, receipt) == [("Claimed", found)]
    assert stage.read("total_claimed_revenue") == DOLLAR


def test_operator__changes_by_the_owner_and_is_told(stage: SolarStage):
    receipt = stage.act("set_operator", stage.roles.keeper, by=stage.roles.owner)
    found = {"old": stage.roles.agent, "new": stage.roles.keeper}
    assert events(stage.nft, receipt) == [("OperatorChanged", found)]
    assert stage.read("operator") == stage.roles.keeper


def test_locks__tell_watts_end_and_standing(stage: SolarStage):
    me = stage.roles.depositor
    token = stage.panel(me)
    assert stage.read("locks", token)[0] == 0
    stage.act("lock", token, by=me)
    assert stage.read("locks", token)[:2] == (400, stage.chain.timestamp() + LOCK_DAYS * DAY)
    assert UNLIMITED > stage.read("lock_seconds") == LOCK_DAYS * DAY
