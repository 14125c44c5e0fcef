"""The identities of a product's paths: sound paths have no fault, each planted one is named."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.instruments.base import Access, Daily, InstrumentPaths, Source
from simulator.instruments.checks import faults_of


def paths(**changes):
    """100 dollars, worth 110 and then 90, of which 5 are paid out on day 2; leaving costs 1."""
    value = np.array([[100.0], [110.0], [90.0]])
    income = np.array([[0.0], [0.0], [5.0]])
    brought = np.array([[[0.0], [10.0], [-10.0]], [[0.0], [0.0], [5.0]], [[0.0], [0.0], [0.0]]])
    sound = InstrumentPaths(
        name="one",
        sources=(
            Source("price", "market", "Price"),
            Source("interest", "organic", "Interest"),
            Source("leaving", "cost", "Leaving"),
        ),
        initial={"usd": np.array([100.0])},
        mark={"usd": np.array([[100.0], [110.0], [95.0]])},
        exit={"usd": np.array([[100.0], [109.0], [94.0]])},
        attribution={"usd": np.array([[-10.0], [5.0], [-1.0]])},
        events=np.zeros(1, np.int64),
        unpaid=np.zeros(1),
        daily=Daily(brought, income, Access(sale_usd=value - 1.0), value),
    )
    return replace(sound, **changes)


def with_days(**changes):
    return paths(daily=replace(paths().daily, **changes))


def with_access(**changes):
    return with_days(access=replace(paths().daily.access, **changes))


def test_faults__of_sound_paths__are_none():
    assert faults_of(paths()) == []
    assert faults_of(paths(daily=None)) == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (paths(attribution={"usd": np.array([[-10.0], [5.0], [0.0]])}), "do not sum to the return"),
        (with_days(income=np.array([[1.0], [0.0], [4.0]])), "income of step 0 is not zero"),
        (with_days(brought=np.zeros((3, 0, 0))), "brought has shape (3, 0, 0)"),
        (with_days(brought=paths().daily.brought + 1.0), "does not sum to value and income"),
        (with_days(value=np.array([[100.0], [111.0], [90.0]])), "mark is not value and income"),
        (paths(exit={"usd": np.array([[100.0], [109.0], [93.0]])}), "costs of leaving are not"),
        (with_access(buy_cost=-0.1), "a cost or a time of access is negative"),
        (with_access(open_days=np.ones(2, bool)), "open_days must be bool"),
        (with_access(sellable=np.full((3, 1), 1.5)), "sellable must be 0 to 1"),
        (with_access(sale_usd=np.full((3, 1), 120.0)), "sale_usd must be at most the mark"),
        (with_access(sale_usd=np.full((3, 1), 50.0)), "a sale pays less than leaving"),
    ],
)
def test_faults__of_a_broken_identity__name_it(broken, words):
    assert any(words in fault for fault in faults_of(broken)), faults_of(broken)
