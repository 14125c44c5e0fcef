"""The feed reader: prices by hand, and refusals in the words of module and feed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from handmade import JUST_WRITTEN, UNWRITTEN
from props import DAY, check_standard, deploy, refused

from simulator.chain import Chain, Contract, load_artifact
from simulator.units import WAD

FUNCTIONS = {
    "scale(address)": "uint256",
    "latest(address,uint256)": "uint256",
    "reading(address,uint80)": "uint256,uint256",
    "standing(address,uint256,uint256)": "uint256",
    "settlement(address,uint256,uint256,uint80,uint256)": "uint256",
}


class Reading:
    """A reader and a feed of 8 decimals: 8,000 at `start`, 9,000 three seconds later, then -1."""

    def __init__(self, chain: Chain, roles: SimpleNamespace) -> None:
        self.chain = chain
        self.reader = deploy(chain, "feed_reader", sender=roles.owner)
        self.feed = deploy(chain, "price_feed", 8, "Copper / USD", roles.keeper, sender=roles.owner)
        self.start = chain.timestamp() + 10
        for seconds, answer in ((0, 8_000 * 10**8), (3, 9_000 * 10**8), (7, -1)):
            update = self.feed.call("update_answer", answer, sender=roles.keeper)
            chain.block(self.start + seconds, [update])

    def read(self, view: str, *args: object, feed: Contract | None = None) -> Any:
        return self.reader.read(self.chain, view, feed or self.feed, *args)


@pytest.fixture
def found(revm: Chain, roles: SimpleNamespace) -> Reading:
    return Reading(revm, roles)


def test_interface__is_five_views_and_nothing_that_writes() -> None:
    artifact = load_artifact("feed_reader")
    check_standard(artifact, FUNCTIONS, {})
    functions = [entry for entry in artifact.abi if entry["type"] == "function"]
    assert len(functions) == len(FUNCTIONS)
    assert {entry["stateMutability"] for entry in functions} == {"view"}


def test_scale__of_8_and_18_decimals__lifts_to_18_and_of_19_is_refused(
    found: Reading, roles: SimpleNamespace
) -> None:
    assert found.read("scale") == 10**10
    eighteen, nineteen = (
        deploy(found.chain, "price_feed", decimals, "X", roles.keeper, sender=roles.owner)
        for decimals in (18, 19)
    )
    assert found.read("scale", feed=eighteen) == 1
    with refused("feed_average: more than 18 decimals"):
        found.read("scale", feed=nineteen)


def test_reading__of_each_round__is_its_price_and_time_and_zero_where_it_is_negative(
    found: Reading,
) -> None:
    assert found.read("reading", 1) == (8_000 * WAD, found.start)
    assert found.read("reading", 2) == (9_000 * WAD, found.start + 3)
    assert found.read("reading", 3) == (0, found.start + 7)
    with refused("price_feed: no data"):
        found.read("reading", 4)


def test_latest__of_a_good_answer_of_no_great_age__is_its_price(
    found: Reading, roles: SimpleNamespace
) -> None:
    with refused("feed: answer is not positive"):
        found.read("latest", DAY)
    at = found.chain.timestamp()
    update = found.feed.call("update_answer", 7_000 * 10**8, sender=roles.keeper)
    found.chain.block(at, [update])
    found.chain.block(at + DAY, [])
    assert found.read("latest", DAY) == 7_000 * WAD
    with refused("feed: answer is too old"):
        found.read("latest", DAY - 1)
    closed = found.feed.call("set_market_status", 1, sender=roles.keeper)
    found.chain.block(at + DAY, [closed])
    assert found.read("latest", DAY - 1) == 7_000 * WAD


def test_latest__of_a_round_that_was_never_written__is_refused_and_of_this_second_is_taken(
    found: Reading, roles: SimpleNamespace
) -> None:
    unwritten = found.chain.deploy(UNWRITTEN, [], roles.owner)
    with refused("feed: round is not complete"):
        found.read("latest", 2**256 - 1, feed=unwritten)
    # An answer of 1 with one decimal is a tenth.
    just_written = found.chain.deploy(JUST_WRITTEN, [], roles.owner)
    assert found.read("latest", 0, feed=just_written) == WAD // 10


def test_settlement__of_seven_seconds__is_their_mean_and_says_which_round_is_not_the_last(
    found: Reading,
) -> None:
    # Three seconds at 8,000 and four at 9,000: 60,000 / 7, rounded down.
    period = (found.start, found.start + 7)
    assert found.read("settlement", *period, 2, DAY) == 60_000 * WAD // 7
    with refused("feed_average: not the last round"):
        found.read("settlement", *period, 1, DAY)
    with refused("feed_average: round is too new"):
        found.read("settlement", *period, 3, DAY)
    # At the end the last answer was four seconds old, and the next one is not positive.
    assert found.read("settlement", *period, 2, 4) == 60_000 * WAD // 7
    with refused("feed_average: feed is silent"):
        found.read("settlement", *period, 2, 3)


def test_standing__of_a_period_with_seconds_to_come__counts_them_at_the_latest_price(
    found: Reading,
) -> None:
    # The negative answer counts for nothing: 9,000 from the third second to the tenth.
    expected = (3 * 8_000 + 7 * 9_000) * WAD // 10
    assert found.read("standing", found.start, found.start + 10) == expected
