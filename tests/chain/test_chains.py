"""What every chain must do, on each chain; and that both do the same."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
from handmade import CLOCK, COUNTER, INVALID, ONCE, PANIC, REFUSING, SILENT, poke

from simulator.chain import Call, Chain, Contract, load_artifact
from simulator.chain.base import ALL_GAS_USED, SETUP_SECONDS
from simulator.errors import TransactionReverted

START = 1_735_689_600
DAY = 86_400
MILLION_USDC = 10**12
# EIP-2929, EIP-2200 and the yellow paper's fee schedule.
TRANSACTION, COLD_SLOAD, PUSH0, PUSH1, ADD = 21_000, 2_100, 2, 3, 3
SSTORE_SET, SSTORE_RESET = 20_000, 2_900
NONZERO_BYTE = 16


@pytest.fixture
def usdc(chain: Chain, roles: SimpleNamespace) -> Contract:
    """A million dollars in the depositor's hands."""
    return funded_usdc(chain, roles)


def funded_usdc(chain: Chain, roles: SimpleNamespace) -> Contract:
    usdc = chain.deploy(load_artifact("usdc"), [], roles.owner)
    allow = usdc.call("configureMinter", roles.owner, MILLION_USDC, sender=roles.owner)
    mint = usdc.call("mint", roles.depositor, MILLION_USDC, sender=roles.owner)
    chain.block(START, [allow, mint])
    return usdc


def test_open__fresh_chain__stands_a_set_up_day_before_the_start(chain):
    assert chain.timestamp() == START - SETUP_SECONDS


def test_deploy__advances_by_one_second(chain, roles):
    before = chain.timestamp()
    chain.deploy(COUNTER, [], roles.owner)
    assert chain.timestamp() == before + 1


def test_deploy__too_few_arguments__is_refused(chain, roles):
    with pytest.raises(TypeError, match=r"price_feed\.__init__ takes"):
        chain.deploy(load_artifact("price_feed"), [8], roles.owner)


def test_deploy__code_size__is_what_stays_on_chain(chain, roles):
    counter = chain.deploy(COUNTER, [], roles.owner)
    assert chain.code_size(counter.address) == COUNTER.deployed_size == 8
    assert chain.code_size(roles.stranger) == 0


def test_deploy__packaged_contract__has_the_recorded_size(chain, roles):
    usdc = chain.deploy(load_artifact("usdc"), [], roles.owner)
    assert chain.code_size(usdc.address) == load_artifact("usdc").deployed_size


def test_block__calls_see_its_timestamp_and_number(chain, roles):
    clock = chain.deploy(CLOCK, [], roles.owner)
    receipt = chain.send(poke(clock, roles.owner), START)
    seen = chain.view_one(poke(clock, roles.owner))
    words = [int.from_bytes(seen[:32], "big"), int.from_bytes(seen[32:], "big")]
    assert words == [START, receipt.block]
    assert (receipt.timestamp, chain.timestamp()) == (START, START)


def test_block__empty__only_moves_time(chain):
    assert chain.block(START, []) == []
    assert chain.timestamp() == START


def test_block__transient_storage__lasts_for_one_call_only(chain, roles):
    # The contract refuses a second call in the same transaction (EIP-1153).
    once = chain.deploy(ONCE, [], roles.owner)
    assert len(chain.block(START, [poke(once, roles.owner)] * 3)) == 3
    assert chain.view([poke(once, roles.owner)] * 2) == [b"", b""]


def test_hardfork__is_cancun__where_the_eleventh_precompile_is_not_there_yet(chain, roles):
    # 0x0a came with Cancun (EIP-4844), 0x0b with Prague (EIP-2537), which refuses this input.
    nobody = Call("0x" + "00" * 19 + "0b", b"\x01", roles.owner, "0x0b")
    assert chain.send(nobody).gas_used == TRANSACTION + NONZERO_BYTE
    with pytest.raises(TransactionReverted):
        chain.send(nobody._replace(to="0x" + "00" * 19 + "0a"))


def test_block__before_the_latest__is_refused(chain):
    chain.block(START, [])
    chain.block(START, [])
    with pytest.raises(ValueError, match="before the latest"):
        chain.block(START - 1, [])


def test_block__coin_passed_along__runs_in_list_order(chain, usdc, roles):
    # Each pair of hands is empty but for the coin, so any other order reverts.
    route = [roles.depositor, *(a for a in chain.accounts if a != roles.depositor)] * 4
    hops = list(pairwise(route))
    coin = MILLION_USDC
    receipts = chain.block(
        START + 1, [usdc.call("transfer", to, coin, sender=giver) for giver, to in hops]
    )
    assert len(receipts) == len(hops) == 127
    assert usdc.read(chain, "balanceOf", route[-1]) == coin


def test_block__one_call_reverts__names_it_and_lets_the_others_stand(chain, usdc, roles):
    calls = [
        usdc.call("transfer", roles.borrower, 1, sender=roles.depositor),
        usdc.call("transfer", roles.crowd, 7, sender=roles.stranger),
        usdc.call("transfer", roles.crowd, 2, sender=roles.depositor),
    ]
    with pytest.raises(TransactionReverted) as caught:
        chain.block(START + 1, calls)
    crowd = f"{roles.crowd[:6]}…{roles.crowd[-4:]}"
    assert caught.value.call == f"usdc.transfer({crowd}, 7)"
    assert caught.value.reason == "erc20: transfer amount exceeds balance"
    balances = [usdc.read(chain, "balanceOf", who) for who in (roles.borrower, roles.crowd)]
    assert balances == [1, 2]


@pytest.mark.parametrize(
    ("artifact", "gas", "reason"),
    [
        (SILENT, None, "no reason given"),
        (PANIC, None, "panic 0x11"),
        (INVALID, None, ALL_GAS_USED),
        (COUNTER, 30_000, ALL_GAS_USED),
    ],
)
def test_revert__without_message__says_what_is_known(chain, roles, artifact, gas, reason):
    contract = chain.deploy(artifact, [], roles.owner)
    call = poke(contract, roles.owner, gas)
    with pytest.raises(TransactionReverted) as caught:
        chain.send(call)
    assert caught.value.reason == reason
    with pytest.raises(TransactionReverted) as caught:
        chain.view_one(call)
    assert caught.value.reason == reason


def test_deploy__constructor_reverts__carries_the_reason(chain, roles):
    with pytest.raises(TransactionReverted) as caught:
        chain.deploy(REFUSING, [], roles.owner)
    assert str(caught.value) == "refusing.__init__ reverted: no reason given"
    assert chain.deploy(COUNTER, [], roles.owner)


def test_view__of_a_call_that_writes__changes_nothing(chain, roles):
    counter = chain.deploy(COUNTER, [], roles.owner)
    for _ in range(3):
        chain.view([poke(counter, roles.owner)] * 2)
    # A first write costs more than a second: the views left the slot at zero, and cold.
    gas = chain.send(poke(counter, roles.owner)).gas_used
    assert gas == TRANSACTION + COLD_SLOAD + SSTORE_SET + 2 * PUSH0 + PUSH1 + ADD


def test_gas__second_write__is_exact_on_a_node_and_a_lower_bound_elsewhere(chain, roles):
    counter = chain.deploy(COUNTER, [], roles.owner)
    chain.send(poke(counter, roles.owner))
    gas = chain.send(poke(counter, roles.owner)).gas_used
    exact = TRANSACTION + COLD_SLOAD + SSTORE_RESET + 2 * PUSH0 + PUSH1 + ADD
    assert gas == exact if chain.gas_is_exact else gas <= exact


def test_snapshot__revert_twice__comes_back_each_time(chain, usdc, roles):
    transfer = usdc.call("transfer", roles.crowd, 5, sender=roles.depositor)
    kept = chain.snapshot()
    for day in (1, 9, 4):
        chain.block(START + day * DAY, [transfer, transfer])
        assert usdc.read(chain, "balanceOf", roles.crowd) == 10
        chain.revert(kept)
        assert usdc.read(chain, "balanceOf", roles.crowd) == 0
        assert chain.timestamp() == START


def test_snapshot__reverted_past__is_gone(chain):
    first = chain.snapshot()
    second = chain.snapshot()
    chain.revert(second)
    chain.revert(first)
    with pytest.raises(KeyError):
        chain.revert(second)


def test_snapshot__contract_made_later__is_gone_and_its_address_free(chain, roles):
    kept = chain.snapshot()
    first = chain.deploy(COUNTER, [], roles.owner)
    chain.revert(kept)
    assert chain.code_size(first.address) == 0
    assert chain.deploy(CLOCK, [], roles.owner).address == first.address


def test_send__from_an_unknown_address__needs_no_funds(chain, roles):
    counter = chain.deploy(COUNTER, [], roles.owner)
    assert chain.send(poke(counter, "0x" + "77" * 20)).gas_used > TRANSACTION


def test_both_chains__same_story__same_addresses_logs_and_state(anvil, revm, roles):
    assert _story(anvil, roles) == _story(revm, roles)


def _story(chain: Chain, roles: SimpleNamespace) -> dict[str, object]:
    """Play mints, transfers, feeds and reverts; return all that can be observed."""
    usdc = funded_usdc(chain, roles)
    feed = chain.deploy(load_artifact("price_feed"), [8, "XAU / USD", roles.keeper], roles.owner)
    receipts = []
    for day in range(1, 6):
        price = feed.call("update_answer", (2_000 + day) * 10**8, sender=roles.keeper)
        gift = usdc.call("transfer", roles.crowd, day, sender=roles.depositor)
        receipts += chain.block(START + day * DAY, [price, gift])
    with pytest.raises(TransactionReverted) as caught:
        chain.send(feed.call("update_answer", 1, sender=roles.intruder))
    return {
        "addresses": (usdc.address, feed.address),
        "logs": [(r.logs, r.block, r.timestamp) for r in receipts],
        "refusal": str(caught.value),
        "round": feed.read(chain, "latestRoundData"),
        "balances": [usdc.read(chain, "balanceOf", account) for account in chain.accounts],
        "time": chain.timestamp(),
    }
