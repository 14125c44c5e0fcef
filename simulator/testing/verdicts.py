"""Verdicts of a scenario beside those that were stored: which claims a change has turned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simulator.claims import Verdict
from simulator.engine import simulate
from simulator.engine.verdicts import judge
from simulator.errors import InputError, Problem
from simulator.plain_json import plain_json
from simulator.scenario import LoadedScenario, load_scenario
from simulator.trial.economics import claims_on
from simulator.trial.whole import Outcome, summon, tried
from simulator.trial.years import position_of
from simulator.writer import write_json

RULES = "rules"
"""The name under which stands whether the contract keeps the rules of its kind."""
KEPT = "kept"
NO_VERDICT = "no verdict"
_SEED = 1


@dataclass(frozen=True)
class Question:
    """What is asked: a scenario's claims, of its own product or of a contract in its place.

    Attributes
    ----------
    scenario : str
        Name or file.
    years : int
        Of the scenario, through which a contract is driven.
    """

    scenario: str
    contract: str | None = None
    adapter: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    years: int = 100

    def stored_in(self, root: Path) -> Path:
        """Return the file of the stored verdicts: beside the scenario's, or in the root folder."""
        file = Path(self.scenario)
        name = file.stem if self.contract is None else f"{file.stem}.{Path(self.contract).stem}"
        folder = file.parent if file.suffix in (".yaml", ".yml") else root
        return folder / f"{name}.verdicts.json"


@dataclass(frozen=True)
class Standing:
    """What is said of one claim.

    Attributes
    ----------
    verdict : str
        The word; of the rules `kept`, or those that are broken.
    figures : str
        What it rests on, in words.
    """

    verdict: str
    figures: str


@dataclass(frozen=True)
class Answer:
    """What is said of all claims, and what it was made of.

    Attributes
    ----------
    claims : dict of str to Standing
    made_of : dict of str to str
        Hash of the scenario with its calibration, and of the contract's code and arguments;
        version of Assay.
    """

    claims: Mapping[str, Standing]
    made_of: Mapping[str, str]


def names_of(question: Question) -> list[str]:
    """Return the claims that a question is about; with a contract its rules come first.

    Raises
    ------
    UsageError, InputError
    """
    loaded = load_scenario(question.scenario)
    if question.contract is None:
        return list(loaded.scenario.claims)
    return [RULES, *claims_on(loaded.scenario, position_of(loaded))]


def answer(question: Question) -> Answer:
    """Answer a question: simulate, or put the contract on trial.

    Raises
    ------
    UsageError, InputError, ChainUnavailable
    """
    loaded = load_scenario(question.scenario)
    terms = loaded.scenario.model_dump_json() + loaded.calibration.model_dump_json()
    made_of = {"scenario": _hash(terms.encode()), "assay": version("assay-sim")}
    if question.contract is None:
        simulation = simulate(loaded.scenario, loaded.calibration, details=False)
        verdicts = judge(simulation, provenance=loaded.provenance)
        return Answer({one.claim: _standing(one) for one in verdicts}, made_of)
    summons = summon(question.contract, None, question.adapter, question.arguments, None)
    outcome = tried(summons, question.scenario, question.years, _SEED, _silent)
    code = summons.case.subject.bytecode + json.dumps(dict(question.arguments)).encode()
    return Answer(_of_contract(outcome, loaded), {**made_of, "contract": _hash(code)})


def _of_contract(outcome: Outcome, loaded: LoadedScenario) -> dict[str, Standing]:
    broken = [fault.name for fault in outcome.faults]
    odd = [step.said for step in outcome.steps if not step.is_ok]
    said = "; ".join([f"it {fault.name}: {fault.said}" for fault in outcome.faults] or odd)
    rules = ", ".join(broken) if broken else "; ".join(odd)
    found = {RULES: Standing(rules or KEPT, said)}
    names = claims_on(loaded.scenario, position_of(loaded))
    found |= {name: Standing(NO_VERDICT, said) for name in names}
    return found | {one.claim: _standing(one) for one in outcome.verdicts}


@contextmanager
def _silent(text: str, parts: int) -> Any:
    yield lambda done: None


def _standing(verdict: Verdict) -> Standing:
    return Standing(verdict.verdict, _figures(verdict))


def _figures(verdict: Verdict) -> str:
    if verdict.reason:
        return verdict.reason
    if verdict.kind != "event":
        return f"{verdict.compared or verdict.quantity} {verdict.estimate:.4g}".strip()
    said = f"it holds on {verdict.probability:.1%} of {verdict.paths:,} paths"
    if verdict.scale == "share":
        said += f", {verdict.quantity} {verdict.median:.2%} in the middle"
    return said


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


# -- what was stored ---------------------------------------------------------------------------


def store(file: Path, found: Answer) -> None:
    """Write an answer down."""
    claims = {name: asdict(one) for name, one in found.claims.items()}
    write_json(file, {"claims": claims, "made_of": dict(found.made_of)})


def stored(file: Path) -> Answer | None:
    """Return what was written down; None where nothing was.

    Raises
    ------
    InputError
        The file is something else.
    """
    if not file.is_file():
        return None
    try:
        raw = plain_json(file.read_text(encoding="utf-8"))
        claims = {name: Standing(**one) for name, one in raw["claims"].items()}
        return Answer(claims, dict(raw["made_of"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        rule = f"is no file of stored verdicts ({error}); --assay-update writes it anew"
        raise InputError([Problem(str(file), None, "", "", rule)]) from None


def turned(name: str, before: Answer | None, now: Answer) -> str:
    """Return why a claim's verdict is not the stored one, in some lines; empty where it is."""
    is_now = now.claims.get(name)
    if before is None or name not in before.claims:
        found = "" if is_now is None else f" It is {is_now.verdict}: {is_now.figures}."
        return f"no verdict of {name} is stored.{found} --assay-update stores it."
    was = before.claims[name]
    if is_now is None:
        return f"{name} was {was.verdict} and is a claim no longer. --assay-update takes it out."
    if was.verdict == is_now.verdict:
        return ""
    changed = [what for what in now.made_of if now.made_of[what] != before.made_of.get(what)]
    cause = " and ".join(_CHANGED[what] for what in changed) or "nothing that is known of"
    return (
        f"{name} was {was.verdict} and is {is_now.verdict}.\n"
        f"was: {was.figures or was.verdict}\n"
        f"is:  {is_now.figures or is_now.verdict}\n"
        f"changed since: {cause}. --assay-update stores it where it is meant."
    )


_CHANGED = {
    "scenario": "the scenario or its calibration",
    "contract": "the contract's code or arguments",
    "assay": "the version of Assay",
}
