"""What a replay leaves behind: every event that a node has, decoded as others decode it, with sums
that are the observables. The sums are of the contracts' books, worked out by hand:

vault    total assets = deposits - withdrawals + gains - losses that strategies reported
STO      raised, recorded, distributed, returned, supply = sums of their events; what the measured
         holder has earned when all is claimed = what was paid out to him
cover    total assets + unearned premiums = deposits - withdrawals + premiums - payouts;
         the miner's cash = payouts to him - his premiums
"""

from __future__ import annotations

import json
import os

import pandas as pd
import pytest
from paths import BUSY, replay, rows

from simulator.chain import AnvilChain, Log, RevmChain, load_artifact
from simulator.chain.contract import Contract, Interface
from simulator.chain.told import arguments_text, event_text, raw_text
from simulator.errors import ChainUnavailable, InputError, TransactionReverted, UsageError
from simulator.replay import Evidence
from simulator.replay.evidence import CREATION, SET_UP
from simulator.replay.gas import check_chain, gas_by_function, gas_change, read_gas
from simulator.study.keeping import write_replay

START = 1_768_867_200
"""2026-01-20 00:00 UTC."""
DAYS = 45
VAULT = (*BUSY[1:], f"horizon_days={DAYS}", "instruments.gold_vault.exploit_hazard=4")
"""Enough hazard that path 3 has an exploit and its run within the days."""
STO = "instruments.producing_sto."
SCHEME = (
    "horizon_days=240",
    f"{STO}payout.payout_ratio=0.1",
    STO + "payout.top_up={reserve_share: 0.03, deposits_a_year: 0.4, trust: 0.8}",
    f"{STO}sale.demand_usd=600000000",
    f"{STO}sale.demand_deviation=0",
    f"{STO}default.hazard=0",
)
COVER = "instruments.copper-cover."
FALLS = (
    "horizon_days=100",
    "market.assets.copper.volatility=1.0",
    f"{COVER}pool.leverage=2",
    f"{COVER}pool.lag_days=0",
    f"{COVER}pool.window_days=1",
    f"{COVER}others.utilisation=1",
    f"{COVER}others.cover.renew_every_days=30",
    f"{COVER}others.cover.term_days=30",
    f"{COVER}miner.cover.term_days=30",
    f"{COVER}miner.cover.renew_every_days=30",
    f"{COVER}pool.cooldown_days=0",
)


def played(name, path, overrides, chain=None):
    evidence = Evidence()
    done = replay(chain, path, *overrides, name=name, evidence=evidence)
    assert done.ok, done.observables
    return done, evidence


@pytest.fixture(scope="module")
def vault():
    return played("gold-vault-sober", 3, VAULT)


@pytest.fixture(scope="module")
def on_anvil():
    try:
        chain = AnvilChain(START)
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    with chain:
        _, evidence = played("gold-vault-sober", 3, VAULT, chain)
        logs = chain._request("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
        yield evidence, logs


def running(evidence, event, field, contract, label="", steps=DAYS, **where):
    """Return the sum of an event's field up to the end of each step, shape (steps + 1,)."""
    found = evidence.events_of(event, contract, label)
    for column, wanted in where.items():
        found = found[found[column] == wanted]
    if found.empty:
        return pd.Series(0, index=range(steps + 1), dtype=object)
    step = found["step"].clip(lower=0)
    return found.groupby(step)[field].sum().reindex(range(steps + 1), fill_value=0).cumsum()


def same(sums, observable, decimals, tolerance):
    found = pd.Series(sums.to_list()).astype(float) / 10**decimals
    assert found.abs().max() > 0
    assert (found - observable.reset_index(drop=True)).abs().max() <= tolerance


# every event is there ---------------------------------------------------------------------------


def test_events__of_a_node__are_all_in_the_table(on_anvil):
    evidence, logs = on_anvil
    # The node forgets the first blocks, which are of the set-up.
    blocks = evidence.transactions["block"][evidence.transactions["step"] > SET_UP]
    theirs = [
        (log["address"], tuple(log["topics"]), log["data"])
        for log in logs
        if int(log["blockNumber"], 16) >= blocks.min()
    ]
    ours = [
        (log.address, tuple(f"0x{topic.hex()}" for topic in log.topics), f"0x{log.data.hex()}")
        for receipt in evidence.receipts
        if receipt.block >= blocks.min()
        for log in receipt.logs
    ]
    assert len(theirs) > 500
    assert ours == theirs
    assert len(evidence.events) == sum(len(receipt.logs) for receipt in evidence.receipts)
    assert (evidence.events["event"] != "").all()


def test_tables__of_both_chains__differ_in_gas_alone(vault, on_anvil):
    one, other = vault[1], on_anvil[0]
    pd.testing.assert_frame_equal(one.events, other.events)
    less = ["gas"]
    pd.testing.assert_frame_equal(
        one.transactions.drop(columns=less), other.transactions.drop(columns=less)
    )
    assert (other.transactions["gas"] >= one.transactions["gas"]).all()
    assert one.addresses == other.addresses


def test_events__of_every_kind__read_as_web3_reads_them(vault):
    from web3 import Web3
    from web3._utils.events import get_event_data

    codec = Web3().codec
    evidence = vault[1]
    artifacts = {c.address: c.artifact for c in evidence.contracts.values()}
    table = iter(evidence.events.itertuples())
    seen = set()
    for log in (log for receipt in evidence.receipts for log in receipt.logs):
        row = next(table)
        if (row.label, row.contract, row.event) in seen:
            continue
        seen.add((row.label, row.contract, row.event))
        abi = next(e for e in artifacts[log.address].abi if e.get("name") == row.event)
        raw = {
            "address": log.address, "topics": log.topics, "data": log.data, "logIndex": 0,
            "transactionIndex": 0, "transactionHash": b"", "blockHash": b"", "blockNumber": 0,
        }  # fmt: skip
        theirs = dict(get_event_data(codec, abi, raw)["args"])
        assert json.loads(row.fields) == {name: plain(value) for name, value in theirs.items()}
    assert len(seen) > 50


def plain(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return str(value).lower() if isinstance(value, int) or value.startswith("0x") else value


def test_transactions__say_who_called_what(vault):
    table = vault[1].transactions
    entered = table[(table["function"] == "deposit") & (table["contract"] == "gold_vault")]
    first = entered.iloc[0]
    assert first["sender"] == "gold_vault/crowd"
    assert first["from"] == vault[1].roles["gold_vault/crowd"]
    assert first["to"] == vault[1].addresses["gold_vault/gold_vault"]
    assert json.loads(first["arguments"])["receiver"] == first["from"]
    assert (table["step"].min(), table["step"].max()) == (SET_UP, DAYS)
    made = table[table["function"] == CREATION]
    assert set(made["to"]) == set(vault[1].addresses.values())
    feed = made[(made["label"] == "gold_token") & (made["contract"] == "metal_feed")].iloc[0]
    assert json.loads(feed["arguments"])["description_"] == "GOLD / USD"
    assert table["events"].sum() == len(vault[1].events)


# sums are the observables -----------------------------------------------------------------------


def test_vault__deposits_less_withdrawals_and_reports__are_its_assets(vault):
    done, evidence = vault
    of = {"contract": "gold_vault", "label": "gold_vault"}
    sums = (
        running(evidence, "Deposit", "assets", **of)
        - running(evidence, "Withdraw", "assets", **of)
        + running(evidence, "StrategyReported", "gain", **of)
        - running(evidence, "StrategyReported", "loss", **of)
    )
    assert running(evidence, "StrategyReported", "loss", **of).iloc[-1] > 10**18  # the exploit
    same(sums, rows(done, "gold_vault", "total_assets")["chain"], 18, 1e-9)


def test_vault__fees__are_what_their_recipient_holds():
    chain = RevmChain(START)
    _, evidence = played("gold-vault-sober", 0, VAULT, chain)
    token = evidence.contracts["gold_vault", "gold_vault"]
    recipient = evidence.roles["gold_vault/fee_recipient"]
    of = {"contract": "gold_vault", "label": "gold_vault"}
    got = running(evidence, "Transfer", "value", receiver=recipient, **of).iloc[-1]
    gone = running(evidence, "Transfer", "value", sender=recipient, **of).iloc[-1]
    assert got > 0
    assert got - gone == token.read(chain, "balanceOf", recipient)


def test_vault__rewards__are_what_was_paid_when_all_is_claimed(vault):
    done, evidence = vault
    holder = evidence.roles["gold_vault/depositor"]
    paid = running(evidence, "RewardPaid", "reward", "staking_rewards", user=holder)
    earned = rows(done, "gold_vault", "rewards_earned")["chain"].iloc[-1]
    assert paid.iloc[-1] / 1e18 == pytest.approx(earned, abs=1e-9)


def test_sto__sums_of_its_books__are_the_observables():
    done, evidence = played("copper-sto", 1, SCHEME)
    label, steps = "producing_sto", 240
    of = {"contract": "token", "label": label, "steps": steps}
    raised = running(evidence, "Contributed", "amount", "raise", label, steps)
    nobody = "0x" + "0" * 40
    sums = {
        "raised": raised,
        "distributed": running(evidence, "FundsDistributed", "fundsDistributed", **of),
        "recorded": running(evidence, "RevenueRecorded", "amount", **of),
        "returned": running(evidence, "ReturnOfCapital", "amount", **of),
    }
    for name, found in sums.items():
        same(found, rows(done, label, name)["chain"], 6, 1e-6)
    minted = running(evidence, "Transfer", "value", sender=nobody, **of)
    burnt = running(evidence, "Transfer", "value", receiver=nobody, **of)
    same(minted - burnt, rows(done, label, "supply")["chain"], 18, 1e-6)
    holder = evidence.roles[f"{label}/depositor"]
    paid = running(evidence, "FundsWithdrawn", "fundsWithdrawn", by=holder, **of)
    earned = rows(done, label, "earned")["chain"].iloc[-1]  # all is claimed at the horizon
    assert paid.iloc[-1] / 1e6 == pytest.approx(earned, abs=1e-6)
    assert earned > 0


def test_cover__premiums_and_payouts__are_its_assets_and_the_miners_cash():
    done, evidence = played("copper-cover", 0, FALLS)
    label = "copper-cover"
    of = {"contract": "price_cover", "label": label, "steps": 100}
    pool = running(evidence, "Deposit", "assets", **of)
    pool -= running(evidence, "Withdraw", "assets", **of)
    earned = running(evidence, "CoverBought", "premium", **of)
    earned -= running(evidence, "CoverSettled", "paid", **of)
    assert "CoverVoided" not in set(evidence.events["event"])  # whose premium goes back
    seen = {name: rows(done, label, name)["chain"].to_numpy() for name in
            ("total_assets", "unearned_premium", "miner_cash")}  # fmt: skip
    same(pool + earned, pd.Series(seen["total_assets"] + seen["unearned_premium"]), 6, 1e-6)
    miner = {"holder": evidence.roles[f"{label}/miner"], **of}
    cash = running(evidence, "CoverSettled", "paid", **miner)
    assert cash.iloc[-1] > 0
    cash -= running(evidence, "CoverBought", "premium", **miner)
    same(cash, pd.Series(seen["miner_cash"]), 6, 1e-6)


# what no ABI of ours says -------------------------------------------------------------------------

SOLIDITY = (
    {
        "type": "event",
        "name": "Said",
        "inputs": [
            {"name": "", "type": "int128", "indexed": True},
            {"name": "words", "type": "string", "indexed": False},
            {"name": "", "type": "uint256[]", "indexed": False},
        ],
    },
)


def word(number):
    return number.to_bytes(32, "big", signed=number < 0)


def test_event__of_dynamic_fields_without_names__is_told_by_their_place():
    ((topic, event),) = Interface(SOLIDITY).events.items()
    data = b"".join(map(word, (64, 128, 2))) + b"hi".ljust(32, b"\0") + b"".join(map(word, (1, 7)))
    log = Log("0x", (topic, word(-5)), data)
    told = json.loads(event_text(event)(log))
    assert told == {"arg0": "-5", "words": "hi", "arg2": ["7"]}


def test_event__with_other_topics_than_its_abi__is_kept_raw():
    evidence = Evidence()
    token = Contract(load_artifact("usdc"), "0x" + "11" * 20)
    evidence.contracts["a", "usdc"] = token
    topic = next(t for t, e in Interface(token.artifact.abi).events.items() if e.name == "Transfer")
    call = token.call("decimals")
    log = Log(token.address, (topic, word(1)), b"")
    stranger = Log("0x" + "22" * 20, (), b"\x07")
    from simulator.chain import Receipt

    evidence.receipts.append(Receipt(call, 21_000, (log, stranger), 1, 1))
    found = evidence.events
    assert list(found["event"]) == ["", ""]
    assert list(found["contract"]) == ["usdc", ""]
    assert found["fields"][1] == raw_text(stranger) == '{"topics": [], "data": "0x07"}'


def test_arguments__of_dynamic_types__are_told_in_json():
    text = arguments_text(("to", "data"), ("address", "bytes"))
    data = word(0xAB) + word(64) + word(1) + b"\x09".ljust(32, b"\0")
    assert json.loads(text(data)) == {"to": "0x" + "0" * 38 + "ab", "data": "0x09"}


def test_play__of_a_path_that_fails__leaves_what_happened_before():
    class Refusing(RevmChain):
        def block(self, timestamp, calls):
            if timestamp >= START + 3 * 86_400:
                raise TransactionReverted("gold_vault.deposit()", "because")
            return super().block(timestamp, calls)

    evidence = Evidence()
    with Refusing(START) as chain, pytest.raises(TransactionReverted, match="step 3"):
        replay(chain, 3, *VAULT, evidence=evidence)
    assert chain.heard is None
    assert evidence.transactions["step"].max() == 2
    assert "Deposit" in set(evidence.events["event"])


# files and gas ------------------------------------------------------------------------------------


def test_write__the_same_path_twice__is_the_same_bytes_and_reads_back(vault, tmp_path):
    done, evidence = vault
    again = Evidence(
        evidence.receipts, evidence.contracts, evidence.accounts, evidence.start, "revm"
    )
    for name, kept in (("one", evidence), ("two", again)):
        write_replay(tmp_path / name, done, kept)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["contracts.json", "events.parquet", "gas.csv", "roles.json",
                     "steps.parquet", "transactions.parquet"]  # fmt: skip
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    events = pd.read_parquet(tmp_path / "one" / "events.parquet")
    pd.testing.assert_frame_equal(events, evidence.events)
    told = json.loads((tmp_path / "one" / "contracts.json").read_text())
    vault_there = told["gold_vault/gold_vault"]
    assert vault_there["address"].lower() == evidence.addresses["gold_vault/gold_vault"]
    assert vault_there["abi"] == list(load_artifact("gold_vault").abi)
    roles = json.loads((tmp_path / "one" / "roles.json").read_text())
    # the second account of the development mnemonic
    assert roles["all/owner"] == {"address": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}
    pd.testing.assert_frame_equal(read_gas(tmp_path / "one" / "gas.csv"), evidence.gas)


def gas_table(*rows_of, chain="anvil"):
    calls = pd.DataFrame(rows_of, columns=["label", "contract", "function", "gas"])
    return gas_by_function(calls, chain)


def test_gas__by_function__by_hand():
    found = gas_table(("v", "vault", "deposit", 100), ("v", "vault", "deposit", 300),
                      ("v", "usdc", "mint", 50))  # fmt: skip
    assert found.iloc[0].to_list() == ["v", "vault", "deposit", 2, 100, 200.0, 300, 400, "anvil"]
    assert found.iloc[1].to_list() == ["v", "usdc", "mint", 1, 50, 50.0, 50, 50, "anvil"]


def test_gas_change__tells_the_largest_first_and_what_is_new():
    before = gas_table(
        ("v", "vault", "deposit", 200), ("v", "usdc", "mint", 50), ("v", "a", "b", 1)
    )
    now = gas_table(("v", "vault", "deposit", 220), ("v", "usdc", "mint", 50), ("v", "a", "c", 1))
    found = gas_change(now, before)
    assert set(found["function"][:2]) == {"b", "c"}  # only one table has them
    changed = found[found["function"] == "deposit"].iloc[0]
    assert (changed["change"], changed["share"]) == (20.0, pytest.approx(0.1))
    assert list(found["function"][2:]) == ["deposit", "mint"]


HEADING = "label,contract,function,calls,least,mean,most,total,chain\n"


@pytest.mark.parametrize(
    ("text", "kind", "rule"),
    [
        (None, UsageError, "cannot be read"),
        ("a,b\n1,2\n", InputError, "must have the columns label, contract"),
        ("", InputError, "is no table of gas"),
        (HEADING + "v,a,b,x,1,1,1,1,revm\n",
         InputError, "is no table of gas"),
        (HEADING + "v,a,b,1,1,1,1,1,revm\n" * 2,
         InputError, "has v.a.b twice"),
    ],
)  # fmt: skip
def test_read_gas__what_is_no_table__is_refused(tmp_path, text, kind, rule):
    file = tmp_path / "gas.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(kind, match=rule):
        read_gas(file)


def test_gas__of_another_chain__is_refused():
    with pytest.raises(UsageError, match="of anvil and this is revm; give --chain anvil"):
        check_chain(gas_table(("v", "a", "b", 1)), "revm")
