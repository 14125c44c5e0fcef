"""Whether the contracts agree with the model: one table and chart for each replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.report import charts
from simulator.report.markup import Column, Html, Row, element, fold, join, table
from simulator.report.replays import every_words
from simulator.words import HARD_SPACE, gas_used, number, ratio, scientific

if TYPE_CHECKING:
    from simulator.replay import EveryPath, ObservableResult, Replay
    from simulator.schema.gas import GasTerms

DESK = "desk"
"""Label of what portfolios trade; see `replay.select`."""

_LABELS = {
    "p05": "5th percentile of the exit value in dollars",
    "p50": "median of the exit value in dollars",
    "p95": "95th percentile of the exit value in dollars",
    "events": "the path with the most events",
}


def agreement_section(
    gas: GasTerms, replays: Sequence[Replay], every: EveryPath | None = None
) -> Html:
    """Return the replays' summary, the holder's gas, each replay's observables; and every path's.

    `every` is given where all paths were played through the bytecode.
    """
    all_of_them = Html("") if every is None else _every_path(every)
    if not replays:
        nothing = "This run was not replayed on a chain; the contracts were not part of it."
        first = element("p", nothing) if every is None else all_of_them
        return fold("agreement", "Model against contract", first)
    intro = element(
        "p",
        "Single paths were sent as transactions to the real contracts, a block a day, and every "
        "number below was read back and compared with the model on every day. The tolerance is "
        "derived from the rounding of integers, not tuned; where an error exceeds it, the replay "
        "fails. Days without any error are not drawn.",
    )
    details = join(_replay(place, replay) for place, replay in enumerate(replays))
    return fold(
        "agreement",
        "Model against contract",
        all_of_them,
        intro,
        _summary(replays),
        _holder_gas(gas, replays),
        element("div", details, class_="pair"),
    )


def _every_path(every: EveryPath) -> Html:
    columns = (
        Column("Observable", numeric=False),
        Column("worst error / tolerance"),
        Column("path"),
        Column("step"),
        Column("model p05"),
        Column("p50"),
        Column("p95"),
        Column("contracts p05"),
        Column("p50"),
        Column("p95"),
        Column("distance"),
    )
    rows = [
        Row(
            (
                f"{row.instrument}.{row.name}",
                ratio(row.share),
                f"{row.path:,}",
                f"{row.step:,}",
                *_shown(row.model),
                *_shown(row.contracts),
                f"{row.distance:.3f}",
            )
        )
        for row in every.observables
    ]
    caption = (
        "Every path through the bytecode: the worst path and day of each observable, the final "
        "values of model and contracts, and the Kolmogorov-Smirnov distance of the two"
    )
    return join(
        (element("p", every_words(every)), table(columns, rows, caption=caption, class_="stack"))
    )


def _shown(quantiles: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{value:,.6g}" for value in quantiles) or ("", "", "")


def _outcome(ok: bool) -> Html:
    return element("span", "agrees" if ok else "differs", class_="ok" if ok else "differs")


def _summary(replays: Sequence[Replay]) -> Html:
    columns = (
        Column("Replay", numeric=False),
        Column("path"),
        Column("chain", numeric=False),
        Column("transactions"),
        Column("gas"),
        Column("decisions compared"),
        Column("in the dead-band"),
        Column("worst error / tolerance"),
        Column("outcome", numeric=False),
    )
    rows = [
        Row(
            (
                replay.label,
                f"{replay.path:,}",
                replay.chain,
                f"{replay.transactions:,}",
                gas_used(replay.gas, exact=replay.gas_is_exact),
                f"{replay.decisions:,}",
                f"{replay.in_band:,}",
                ratio(replay.worst),
                _outcome(replay.ok),
            )
        )
        for replay in replays
    ]
    return table(columns, rows, caption="Replays", class_="stack")


def _holder_gas(gas: GasTerms, replays: Sequence[Replay]) -> Html:
    acts = list(dict.fromkeys(key for replay in replays for key in replay.holder_gas))
    if not acts:
        return Html("")
    rows = []
    for label, act in acts:
        used = [replay.holder_gas.get((label, act)) for replay in replays]
        words = f"{label.replace('_', ' ')}: {act}"
        shown = [
            "" if amount is None else gas_used(amount, exact=replay.gas_is_exact)
            for amount, replay in zip(used, replays, strict=True)
        ]
        rows.append(Row((words, *shown)))
        dollars = [
            "" if amount is None else _in_dollars(amount * gas.usd_per_gas, replay)
            for amount, replay in zip(used, replays, strict=True)
        ]
        rows.append(Row(("in dollars", *dollars), "other"))
    columns = (Column("Act", numeric=False), *(Column(replay.label) for replay in replays))
    caption = (
        f"Gas of the measured holders' transactions (claim: mean), at {gas.price_gwei:g} gwei and "
        f"{gas.ether_usd:,.0f} dollars an ether; what the run books is the scenario's gas.used"
    )
    if any(label == DESK for label, _ in acts):
        caption += "; at the desk the mean of portfolios' trades and stop orders, not booked"
    if not all(replay.gas_is_exact for replay in replays):
        caption += (
            ". The in-process EVM counts less than a node charges: its gas is a lower bound, and "
            "not what the run books"
        )
    return table(columns, rows, caption=caption)


def _in_dollars(usd: float, replay: Replay) -> str:
    amount = number(usd, 2)
    return amount if replay.gas_is_exact else f"at{HARD_SPACE}least{HARD_SPACE}{amount}"


def _replay(place: int, replay: Replay) -> Html:
    words = f"{replay.label}: {_LABELS.get(replay.label, 'a chosen path')}"
    label = (
        f"Error over tolerance on each day of replay {replay.label}; the largest is "
        f"{ratio(replay.worst)}."
    )
    chart = charts.embed(
        charts.agreement(replay.series), f"agreement-{place}-{replay.label}", words, label
    )
    notes = join(element("p", f"{note}.") for note in replay.notes)
    return element("div", chart, _observables(replay), notes)


def _spoken(observable: ObservableResult) -> str:
    return f"{observable.instrument}: {observable.name}".replace("_", " ")


def _observables(replay: Replay) -> Html:
    drawn = replay.series[["instrument", "observable"]].drop_duplicates()
    order = {key: i for i, key in enumerate(drawn.itertuples(index=False, name=None))}
    rows = []
    for observable in replay.observables:
        place = order.get((observable.instrument, observable.name), 0) % len(charts.SERIES_COLOURS)
        colour = charts.SERIES_COLOURS[place]
        swatch = element("span", class_="swatch line", style=f"background:{colour}")
        rows.append(
            Row(
                (
                    join((swatch, _spoken(observable))),
                    scientific(observable.max_error),
                    scientific(observable.tolerance),
                    f"{observable.step:,}",
                    _outcome(observable.ok),
                )
            )
        )
    columns = (
        Column("Observable", numeric=False),
        Column("max error"),
        Column("tolerance"),
        Column("day"),
        Column("", numeric=False),
    )
    return table(columns, rows, caption=f"Worst day of each observable, replay {replay.label}")
