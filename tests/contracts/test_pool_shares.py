"""Shares of vault, lending market and price cover: permits, and nothing to the pool itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from cover_stage import DOLLAR, CoverStage
from eth_account import Account
from gold_stage import OUNCE, UNLIMITED, GoldStage, MarketTerms
from props import DAY, check_standard, events, refused, send

from simulator.chain import CHAIN_ID, Chain, Contract, load_artifact

PUBLIC_DEVELOPMENT_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Printed by every Anvil at its start; the key of the first development account, `owner`."""

PERMIT_FUNCTIONS = {
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": "",
    "nonces(address)": "uint256",
    "DOMAIN_SEPARATOR()": "bytes32",
    "eip712Domain()": "bytes1,string,string,uint256,address,bytes32,uint256[]",
}


@dataclass(frozen=True)
class Pool:
    """A pool in which `owner` has shares."""

    chain: Chain
    contract: Contract
    title: str

    def send(self, function: str, *args: object, by: str) -> None:
        send(self.chain, self.contract, function, *args, sender=by)

    def read(self, view: str, *args: object) -> Any:
        return self.contract.read(self.chain, view, *args)


def lending(chain: Chain, roles: SimpleNamespace) -> Pool:
    """A market in which the owner has lent 100 oz and another holds collateral."""
    stage = GoldStage(chain, roles)
    stage.supply(roles.owner, 100 * OUNCE)
    stage.endow(roles.borrower, dollars=500_000)
    collateral = (400_000 * DOLLAR, roles.borrower)
    stage.send(stage.market, "supply_collateral", *collateral, sender=roles.borrower)
    return Pool(chain, stage.market, "Lending Market Share")


def vault(chain: Chain, roles: SimpleNamespace) -> Pool:
    """A vault in which the owner has 100 oz."""
    stage = GoldStage(chain, roles)
    stage.deposit(roles.owner, 100 * OUNCE)
    return Pool(chain, stage.vault, "Gold Vault")


def cover(chain: Chain, roles: SimpleNamespace) -> Pool:
    """A pool in which the owner has 1,000 dollars, all of them asked for eight days ago."""
    stage = CoverStage(chain, roles)
    stage.send(stage.usdc, "mint", roles.owner, 10_000 * DOLLAR, by=roles.owner)
    stage.send(stage.usdc, "approve", stage.pool.address, UNLIMITED, by=roles.owner)
    stage.act("deposit", 2_000 * DOLLAR, roles.owner, by=roles.owner)
    stage.act("requestWithdraw", 1_000 * DOLLAR, by=roles.owner)
    stage.chain.block(stage.chain.timestamp() + 8 * DAY, [])
    return Pool(chain, stage.pool, "Copper Cover")


POOLS: dict[str, Callable[[Chain, SimpleNamespace], Pool]] = {
    "gold_vault": vault,
    "lending_market": lending,
    "price_cover": cover,
}


@pytest.fixture(params=POOLS)
def pool(request: pytest.FixtureRequest, revm: Chain, roles: SimpleNamespace) -> Pool:
    return POOLS[request.param](revm, roles)


# --- ERC-20 --------------------------------------------------------------------


def test_functions_of_erc20__that_return_a_bool__return_true(
    pool: Pool, roles: SimpleNamespace
) -> None:
    pool.send("approve", roles.trader, 1, by=roles.owner)
    for sender, function, *args in (
        (roles.owner, "transfer", roles.trader, 1),
        (roles.trader, "transferFrom", roles.owner, roles.trader, 1),
        (roles.owner, "approve", roles.trader, 1),
    ):
        assert pool.contract.read(pool.chain, function, *args, sender=sender) is True


# --- Permits -------------------------------------------------------------------


def signed(pool: Pool, spender: str, amount: int, deadline: int, **other: Any) -> tuple[Any, ...]:
    """Return the arguments of a permit that `owner` signed with eth-account.

    `other` replaces what is signed: `nonce`, or `name`, `version`, `chainId`,
    `verifyingContract` of the domain.
    """
    owner = Account.from_key(PUBLIC_DEVELOPMENT_KEY)
    domain = {
        "name": pool.title,
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": pool.contract.address,
    }
    message = {
        "owner": owner.address,
        "spender": spender,
        "value": amount,
        "nonce": other.pop("nonce", 0),
        "deadline": deadline,
    }
    kinds = {"owner": "address", "spender": "address"} | dict.fromkeys(
        ("value", "nonce", "deadline"), "uint256"
    )
    types = {"Permit": [{"name": name, "type": kind} for name, kind in kinds.items()]}
    found = owner.sign_typed_data(domain | other, types, message)
    seal = (found.v, found.r.to_bytes(32, "big"), found.s.to_bytes(32, "big"))
    return (owner.address.lower(), spender, amount, deadline, *seal)


@pytest.mark.parametrize("name", POOLS)
def test_abi__of_a_pools_shares__has_the_permit_of_eip_2612(name: str) -> None:
    check_standard(load_artifact(name), PERMIT_FUNCTIONS, {})


def test_permit__signed_by_the_owner__lets_the_spender_take_the_shares_once(
    pool: Pool, roles: SimpleNamespace
) -> None:
    permit = signed(pool, roles.trader, 7, pool.chain.timestamp() + 100)
    pool.send("permit", *permit, by=roles.stranger)
    assert pool.read("allowance", roles.owner, roles.trader) == 7
    assert pool.read("nonces", roles.owner) == 1
    with refused("erc20: insufficient allowance"):
        pool.send("transferFrom", roles.owner, roles.trader, 8, by=roles.trader)
    pool.send("transferFrom", roles.owner, roles.trader, 7, by=roles.trader)
    assert pool.read("balanceOf", roles.trader) == 7
    with refused("erc20: invalid signature"):
        pool.send("permit", *permit, by=roles.stranger)
    # The next one counts on from it.
    permit = signed(pool, roles.trader, 5, pool.chain.timestamp() + 100, nonce=1)
    pool.send("permit", *permit, by=roles.stranger)
    assert pool.read("allowance", roles.owner, roles.trader) == 5


@pytest.mark.parametrize(
    "other",
    [
        {"nonce": 1},
        {"name": "Another Share"},
        {"version": "2"},
        {"chainId": 1},
        {"verifyingContract": "0x" + "11" * 20},
    ],
    ids=lambda other: next(iter(other)),
)
def test_permit__for_another_domain_or_nonce__is_refused(
    pool: Pool, roles: SimpleNamespace, other: dict[str, Any]
) -> None:
    deadline = pool.chain.timestamp() + 100
    with refused("erc20: invalid signature"):
        pool.send("permit", *signed(pool, roles.trader, 7, deadline, **other), by=roles.trader)
    pool.send("permit", *signed(pool, roles.trader, 7, deadline), by=roles.trader)


def test_permit__of_another_owner_spender_or_amount__is_refused(
    pool: Pool, roles: SimpleNamespace
) -> None:
    permit = signed(pool, roles.trader, 7, pool.chain.timestamp() + 100)
    for place, value in ((0, roles.custodian), (1, roles.intruder), (2, 8), (3, permit[3] + 1)):
        with refused("erc20: invalid signature"):
            changed = (*permit[:place], value, *permit[place + 1 :])
            pool.send("permit", *changed, by=roles.trader)
    pool.send("permit", *permit, by=roles.trader)


def test_permit__after_its_deadline__is_refused_and_passes_at_it(
    pool: Pool, roles: SimpleNamespace
) -> None:
    deadline = pool.chain.timestamp() + 100
    call = pool.contract.call(
        "permit", *signed(pool, roles.trader, 7, deadline), sender=roles.trader
    )
    before = pool.chain.snapshot()
    with refused("erc20: expired deadline"):
        pool.chain.send(call, deadline + 1)
    pool.chain.revert(before)
    pool.chain.send(call, deadline)
    assert pool.read("allowance", roles.owner, roles.trader) == 7


def test_eip712_domain__is_what_permits_are_signed_for(pool: Pool) -> None:
    # 0x0f: name, version, chain and contract, no salt, as of EIP-5267.
    fields = (b"\x0f", pool.title, "1", CHAIN_ID, pool.contract.address, bytes(32), ())
    found = pool.read("eip712Domain")
    assert (*found[:6], tuple(found[6])) == fields


# --- Nothing to the pool itself ---------------------------------------------------

SHARES = "share_token: receiver is the token itself"
PAYER = "asset_token: receiver is the payer"
TO_ITSELF = [
    # The pool's own address stands for @pool; beside it the same call for somebody else.
    ("gold_vault", ("owner", "transfer", "@pool", 7), SHARES),
    ("gold_vault", ("trader", "transferFrom", "@owner", "@pool", 7), SHARES),
    ("gold_vault", ("owner", "deposit", OUNCE, "@pool"), SHARES),
    ("gold_vault", ("owner", "mint", OUNCE, "@pool"), SHARES),
    ("gold_vault", ("owner", "withdraw", OUNCE, "@pool", "@owner"), PAYER),
    ("gold_vault", ("owner", "redeem", OUNCE, "@pool", "@owner"), PAYER),
    ("gold_vault", ("curator", "set_fee_recipient", "@pool"), SHARES),
    ("lending_market", ("owner", "transfer", "@pool", 7), SHARES),
    ("lending_market", ("trader", "transferFrom", "@owner", "@pool", 7), SHARES),
    ("lending_market", ("owner", "deposit", OUNCE, "@pool"), SHARES),
    ("lending_market", ("owner", "mint", OUNCE, "@pool"), SHARES),
    ("lending_market", ("owner", "withdraw", OUNCE, "@pool", "@owner"), PAYER),
    ("lending_market", ("owner", "redeem", OUNCE, "@pool", "@owner"), PAYER),
    ("lending_market", ("borrower", "borrow", OUNCE, "@pool"), PAYER),
    ("lending_market", ("borrower", "withdraw_collateral", DOLLAR, "@pool"), PAYER),
    (
        "lending_market",
        ("borrower", "supply_collateral", DOLLAR, "@pool"),
        "lending_market: borrower is the market",
    ),
    ("price_cover", ("owner", "transfer", "@pool", 7), SHARES),
    ("price_cover", ("trader", "transferFrom", "@owner", "@pool", 7), SHARES),
    ("price_cover", ("owner", "deposit", DOLLAR, "@pool"), SHARES),
    ("price_cover", ("owner", "mint", DOLLAR, "@pool"), SHARES),
    ("price_cover", ("owner", "claimWithdraw", "@pool"), PAYER),
]


@pytest.mark.parametrize(
    ("name", "call", "reason"), TO_ITSELF, ids=[f"{case[0]} {case[1][1]}" for case in TO_ITSELF]
)
def test_pool__as_receiver_of_what_it_holds__is_refused_and_another_is_not(
    revm: Chain, roles: SimpleNamespace, name: str, call: tuple[Any, ...], reason: str
) -> None:
    pool = POOLS[name](revm, roles)
    pool.send("approve", roles.trader, 7, by=roles.owner)
    sender, function, *args = call

    def play(receiver: str) -> None:
        known = {"@pool": receiver, "@owner": roles.owner}
        filled = [known.get(arg, arg) if isinstance(arg, str) else arg for arg in args]
        pool.send(function, *filled, by=getattr(roles, sender))

    with refused(reason):
        play(pool.contract.address)
    play(roles.stranger)


def test_limits__of_a_deposit_for_the_pool_itself__are_zero(
    pool: Pool, roles: SimpleNamespace
) -> None:
    """ERC-4626: no more than what would be taken."""
    for view in ("maxDeposit", "maxMint"):
        assert pool.read(view, pool.contract.address) == 0
        assert pool.read(view, roles.stranger) > 0


def test_treasury__that_is_the_market_to_be__is_refused(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """The address of a contract is known ahead: by its deployer and his nonce."""
    stage = GoldStage(revm, roles)
    before = revm.snapshot()
    to_be = stage.deploy_market(MarketTerms()).address
    revm.revert(before)
    stage.roles = SimpleNamespace(**{**vars(roles), "treasury": to_be})
    with refused("lending_market: treasury is the market"):
        stage.deploy_market(MarketTerms())
    revm.revert(before)
    stage.roles = roles
    assert stage.deploy_market(MarketTerms()).address == to_be


def test_request__hands_shares_to_the_pool__and_takes_them_back(
    revm: Chain, roles: SimpleNamespace
) -> None:
    """What the pool keeps for a request stays where transfers cannot go."""
    pool = cover(revm, roles)
    assert pool.read("balanceOf", pool.contract.address) == 1_000 * DOLLAR
    receipt = revm.send(pool.contract.call("cancelWithdraw", sender=roles.owner))
    [(_, cancelled)] = events(pool.contract, receipt, "WithdrawCancelled")
    assert cancelled["shares"] == 1_000 * DOLLAR
    assert pool.read("balanceOf", pool.contract.address) == 0
