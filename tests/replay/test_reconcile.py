"""What a comparison says when it is asked early, or has nothing to compare."""

from __future__ import annotations

from simulator.instruments.stage import Observable
from simulator.replay.reconcile import Reconciliation


def test_results__without_observables__are_none():
    found = Reconciliation({})
    found.add({}, {}, {})
    assert found.results() == ()
    assert found.series().empty


def test_results__between_two_days__take_in_the_days_since():
    found = Reconciliation({("vault", "price"): Observable("price", 0, 0.0)})
    found.add({"vault": {"price": 1.0}}, {"vault": {"price": 1.0}}, {"vault": {}})
    assert [one.ok for one in found.results()] == [True]
    # off by a half, where nothing is rounded
    found.add({"vault": {"price": 1.0}}, {"vault": {"price": 1.5}}, {"vault": {}})
    assert [(one.ok, one.step, one.max_error) for one in found.results()] == [(False, 1, 0.5)]
