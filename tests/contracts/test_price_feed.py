"""The feed by Chainlink's interface, and what every consumer of a feed refuses."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from props import DAY, OUNCE, Refusal, check_refusal, check_standard, deploy, events, refused, send

from simulator.chain import ZERO_ADDRESS, Artifact, Chain, Contract, load_artifact
from simulator.chain.compile import compile_source

PRICE = 2_625_12345678
"""USD 2,625.12345678 an ounce, 8 decimals."""

OPEN, CLOSED, UNKNOWN = 2, 1, 0
FROZEN, REVERTING, NORMAL = 1, 2, 0

PLAIN_FEED = '''
# pragma version ==0.4.3
"""@notice A feed without `marketStatus` whose round is whatever it is told."""
decimals: public(constant(uint8)) = 8
answer: int256
updated_at: uint256

@external
def set_round(answer: int256, updated_at: uint256):
    self.answer = answer
    self.updated_at = updated_at

@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    return 1, self.answer, self.updated_at, self.updated_at, 1
'''


@pytest.fixture
def feed(revm: Chain, roles: SimpleNamespace) -> Contract:
    return deploy(revm, "price_feed", 8, "XAU / USD", roles.keeper, sender=roles.owner)


@pytest.fixture
def names(roles: SimpleNamespace) -> dict[str, str]:
    return {**vars(roles), "nobody": ZERO_ADDRESS}


def consumer_of(chain: Chain, feed: Contract, roles: SimpleNamespace) -> Contract:
    """A token whose reserve is read through modules/feed.vy, at most a day old."""
    return deploy(chain, "gold_token", "Pax Gold", "PAXG", 18, feed, DAY, sender=roles.owner)


def update(chain: Chain, feed: Contract, roles: SimpleNamespace, answer: int) -> int:
    """Write a round and return its time, seconds."""
    return send(chain, feed, "update_answer", answer, sender=roles.keeper).timestamp


UPDATE = ("@keeper", "update_answer", PRICE)
REFUSALS = [
    Refusal(
        "price_feed: caller is not the keeper",
        ("@owner", "update_answer", PRICE),
        UPDATE,
    ),
    Refusal(
        "price_feed: caller is not the keeper",
        ("@owner", "set_market_status", OPEN),
        ("@keeper", "set_market_status", OPEN),
    ),
    Refusal(
        "price_feed: caller is not the keeper",
        ("@owner", "set_mode", FROZEN),
        ("@keeper", "set_mode", FROZEN),
    ),
    Refusal(
        "price_feed: frozen",
        UPDATE,
        before=(("@keeper", "set_mode", FROZEN),),
        lift=(("@keeper", "set_mode", NORMAL),),
    ),
    Refusal(
        "price_feed: unknown market status",
        ("@keeper", "set_market_status", OPEN + 1),
        ("@keeper", "set_market_status", OPEN),
    ),
    Refusal(
        "price_feed: unknown mode",
        ("@keeper", "set_mode", REVERTING + 1),
        ("@keeper", "set_mode", REVERTING),
    ),
    Refusal(
        "ownable: caller is not the owner",
        ("@keeper", "set_keeper", "@keeper"),
        ("@owner", "set_keeper", "@keeper"),
    ),
    Refusal(
        "price_feed: keeper is the zero address",
        ("@owner", "set_keeper", "@nobody"),
        ("@owner", "set_keeper", "@trader"),
    ),
    Refusal(
        "price_feed: caller is not the keeper",
        UPDATE,
        ("@trader", "update_answer", PRICE),
        before=(("@owner", "set_keeper", "@trader"),),
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_call__with_an_obstacle__reverts_and_passes_without_it(
    revm: Chain, feed: Contract, names: Mapping[str, str], case: Refusal
) -> None:
    check_refusal(revm, feed, names, case)


def test_deploy__without_a_keeper__reverts(revm: Chain, roles: SimpleNamespace) -> None:
    with refused("price_feed: keeper is the zero address"):
        deploy(revm, "price_feed", 8, "XAU / USD", ZERO_ADDRESS, sender=roles.owner)


def test_interface__is_aggregator_v3_with_the_events_of_a_proxy() -> None:
    round_data = "uint80,int256,uint256,uint256,uint80"
    functions = {
        "decimals()": "uint8",
        "description()": "string",
        "version()": "uint256",
        "getRoundData(uint80)": round_data,
        "latestRoundData()": round_data,
        "marketStatus()": "uint8",
    }
    topics = {
        "AnswerUpdated(int256,uint256,uint256)": 2,
        "NewRound(uint256,address,uint256)": 2,
    }
    check_standard(load_artifact("price_feed"), functions, topics)


def test_selectors__are_the_published_ones_of_chainlink(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    # Constants that explorers show for any Chainlink feed.
    assert feed.call("latestRoundData").data.hex() == "feaf968c"
    assert feed.call("getRoundData", 1).data[:4].hex() == "9a6fc8f5"
    receipt = send(revm, feed, "update_answer", PRICE, sender=roles.keeper)
    assert [log.topics[0].hex() for log in receipt.logs] == [
        "0109fc6f55cf40689f02fbaad7af7fe7bbac8a3d2186600afc7d3e10cac60271",
        "0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f",
    ]


def test_update_answer__twice__keeps_both_rounds_and_logs_them(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    first = update(revm, feed, roles, PRICE)
    receipt = send(revm, feed, "update_answer", PRICE + 5, sender=roles.keeper)
    second = receipt.timestamp
    assert feed.read(revm, "getRoundData", 1) == (1, PRICE, first, first, 1)
    assert feed.read(revm, "getRoundData", 2) == (2, PRICE + 5, second, second, 2)
    assert feed.read(revm, "latestRoundData") == feed.read(revm, "getRoundData", 2)
    assert events(feed, receipt) == [
        ("NewRound", {"roundId": 2, "startedBy": roles.keeper, "startedAt": second}),
        ("AnswerUpdated", {"current": PRICE + 5, "roundId": 2, "updatedAt": second}),
    ]


def test_metadata__is_what_was_deployed(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    found = [feed.read(revm, view) for view in ("decimals", "description", "version", "keeper")]
    assert found == [8, "XAU / USD", 1, roles.keeper]


def test_round__before_it_was_written__has_no_data(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    with refused("price_feed: no data"):
        feed.read(revm, "latestRoundData")
    update(revm, feed, roles, PRICE)
    assert feed.read(revm, "latestRoundData")[1] == PRICE
    for missing in (0, 2):
        with refused("price_feed: no data"):
            feed.read(revm, "getRoundData", missing)


def test_mode__reverting__still_takes_updates_that_are_seen_later(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    send(revm, feed, "set_mode", REVERTING, sender=roles.keeper)
    written = update(revm, feed, roles, PRICE)
    send(revm, feed, "set_mode", NORMAL, sender=roles.keeper)
    assert feed.read(revm, "latestRoundData") == (1, PRICE, written, written, 1)


def test_mode__reverting__fails_all_reads_of_rounds_until_it_ends(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    update(revm, feed, roles, PRICE)
    receipt = send(revm, feed, "set_mode", REVERTING, sender=roles.keeper)
    assert events(feed, receipt) == [("ModeSet", {"mode": REVERTING})]
    for view, args in (("latestRoundData", ()), ("getRoundData", (1,))):
        with refused("price_feed: reverting"):
            feed.read(revm, view, *args)
    send(revm, feed, "set_mode", NORMAL, sender=roles.keeper)
    assert feed.read(revm, "latestRoundData")[1] == PRICE


def test_mode__frozen__keeps_serving_the_old_round(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    written = update(revm, feed, roles, PRICE)
    send(revm, feed, "set_mode", FROZEN, sender=roles.keeper)
    revm.block(written + 10 * DAY, [])
    assert feed.read(revm, "latestRoundData") == (1, PRICE, written, written, 1)


def test_market_status_and_keeper__when_set__log_and_show(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    assert feed.read(revm, "marketStatus") == UNKNOWN
    receipt = send(revm, feed, "set_market_status", CLOSED, sender=roles.keeper)
    assert events(feed, receipt) == [("MarketStatusSet", {"status": CLOSED})]
    assert feed.read(revm, "marketStatus") == CLOSED
    receipt = send(revm, feed, "set_keeper", roles.trader, sender=roles.owner)
    fields = {"old_keeper": roles.keeper, "new_keeper": roles.trader}
    assert events(feed, receipt) == [("KeeperSet", fields)]


# The consumer's check, modules/feed.vy, read through gold_token.attested_reserve.


@pytest.mark.parametrize(
    ("decimals", "answer", "expected"),
    [
        (8, 150_000_000, 3 * OUNCE // 2),  # 1.5 oz
        (0, 7, 7 * OUNCE),
        (18, 1, 1),
        (8, 1, 10**10),
    ],
)
def test_consumer__of_any_decimals__reads_18_of_them_exactly(
    revm: Chain, roles: SimpleNamespace, decimals: int, answer: int, expected: int
) -> None:
    feed = deploy(revm, "price_feed", decimals, "Reserve", roles.keeper, sender=roles.owner)
    update(revm, feed, roles, answer)
    assert consumer_of(revm, feed, roles).read(revm, "attested_reserve") == expected


def test_consumer__of_more_than_18_decimals__refuses(revm: Chain, roles: SimpleNamespace) -> None:
    feed = deploy(revm, "price_feed", 19, "Reserve", roles.keeper, sender=roles.owner)
    update(revm, feed, roles, PRICE)
    with refused("feed: more than 18 decimals"):
        consumer_of(revm, feed, roles).read(revm, "attested_reserve")


@pytest.mark.parametrize("answer", [0, -1, -PRICE])
def test_consumer__of_an_answer_that_is_not_positive__refuses_and_takes_the_next(
    revm: Chain, feed: Contract, roles: SimpleNamespace, answer: int
) -> None:
    token = consumer_of(revm, feed, roles)
    update(revm, feed, roles, answer)
    with refused("feed: answer is not positive"):
        token.read(revm, "attested_reserve")
    update(revm, feed, roles, 1)
    assert token.read(revm, "attested_reserve") == 10**10


@pytest.mark.parametrize("status", [UNKNOWN, OPEN])
def test_consumer__of_an_old_answer__refuses_it_one_second_past_the_limit(
    revm: Chain, feed: Contract, roles: SimpleNamespace, status: int
) -> None:
    token = consumer_of(revm, feed, roles)
    send(revm, feed, "set_market_status", status, sender=roles.keeper)
    written = update(revm, feed, roles, PRICE)
    revm.block(written + DAY, [])
    assert token.read(revm, "attested_reserve") == PRICE * 10**10
    revm.block(written + DAY + 1, [])
    with refused("feed: answer is too old"):
        token.read(revm, "attested_reserve")


def test_reserve__over_a_weekend__is_refused_all_the_same(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    """A price may age while its market is closed (`test_attacks.py`); a reserve has none."""
    token = consumer_of(revm, feed, roles)
    written = update(revm, feed, roles, PRICE)
    send(revm, feed, "set_market_status", CLOSED, sender=roles.keeper)
    revm.block(written + 3 * DAY, [])
    with refused("feed: answer is too old"):
        token.read(revm, "attested_reserve")
    update(revm, feed, roles, PRICE)
    assert token.read(revm, "attested_reserve") == PRICE * 10**10


def test_consumer__of_a_feed_that_reverts__passes_its_reason_on(
    revm: Chain, feed: Contract, roles: SimpleNamespace
) -> None:
    token = consumer_of(revm, feed, roles)
    with refused("price_feed: no data"):
        token.read(revm, "attested_reserve")


@pytest.fixture(scope="session")
def plain_feed(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    pytest.importorskip("vyper")
    path = tmp_path_factory.mktemp("feed") / "plain_feed.vy"
    path.write_text(PLAIN_FEED, encoding="utf-8")
    return compile_source(path)


def test_consumer__of_a_feed_without_market_status__checks_time_alone(
    revm: Chain, plain_feed: Artifact, roles: SimpleNamespace
) -> None:
    feed = revm.deploy(plain_feed, [], sender=roles.owner)
    token = consumer_of(revm, feed, roles)
    now = revm.timestamp() + 1
    for updated_at, reason in (
        (0, "feed: round is not complete"),
        (now + 2, "feed: answer is from the future"),
        (now - DAY - 1, "feed: answer is too old"),
        (now - DAY, None),
        (now, None),
    ):
        before = revm.snapshot()
        revm.send(feed.call("set_round", PRICE, updated_at, sender=roles.keeper), now)
        if reason is None:
            assert token.read(revm, "attested_reserve") == PRICE * 10**10
        else:
            with refused(reason):
                token.read(revm, "attested_reserve")
        revm.revert(before)
