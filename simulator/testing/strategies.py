"""Hypothesis strategies: moves of people, and days as markets have them."""

from __future__ import annotations

from typing import Any

from simulator.chain.codec import optional
from simulator.trial.moves import MILLION, Move
from simulator.trial.stage import HOLDERS
from simulator.units import SECONDS_PER_DAY

_UNIT = 10**18
_MOST = 10**6 * _UNIT
_MOST_LOST = 300_000


def _strategies() -> Any:
    return optional("hypothesis.strategies")


def moves() -> Any:
    """Return a strategy of moves; amounts are of the stage's own asset.

    Somebody enters, leaves or hands shares on; it earns, loses or is reported; or time passes.
    """
    st = _strategies()
    who, part, amount = st.sampled_from(HOLDERS), st.integers(1, MILLION), st.integers(1, _MOST)
    return st.one_of(
        st.builds(Move, st.sampled_from(("deposit", "mint", "give")), who, amount),
        st.builds(Move, st.sampled_from(("withdraw", "redeem")), who, part),
        st.builds(Move, st.just("transfer"), who, part, who),
        *_results(amount),
        st.builds(Move, st.just("wait"), st.just(""), st.integers(1, 30 * SECONDS_PER_DAY)),
    )


def _results(amount: Any) -> list[Any]:
    st, nobody = _strategies(), _strategies().just("")
    return [
        st.builds(Move, st.just("earn"), nobody, amount),
        st.builds(Move, st.just("lose"), nobody, st.integers(1, _MOST_LOST)),
        st.just(Move("report")),
    ]


def market_days() -> Any:
    """Return a strategy of days: one passes, a little is earned or a loss is reported, people act.

    A day's moves are a list. Of five kinds of day one has a loss, of any size up to three tenths,
    as in `moves`: far more often than a market's year has, so that short examples have one.
    """
    st = _strategies()
    day = st.just(Move("wait", "", SECONDS_PER_DAY))
    # 100 basis points of a vault of a million units is a very good day.
    gain = st.builds(Move, st.just("earn"), st.just(""), st.integers(1, _MOST // 100))
    loss = st.builds(Move, st.just("lose"), st.just(""), st.integers(1, _MOST_LOST))
    report = st.just(Move("report"))
    quiet, good = st.tuples(day), st.tuples(day, gain)
    bad = st.tuples(day, loss, report)
    ends = st.tuples(day, gain, report)
    people = st.lists(moves(), max_size=2)
    whole = st.one_of(quiet, good, good, ends, bad)
    return st.builds(lambda first, then: [*first, *then], whole, people)
