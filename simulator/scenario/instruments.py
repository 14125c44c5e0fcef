"""The section `instruments` of a scenario: labels, each with the terms of its kind.

    instruments:
      gold_token: {preset: paxg}                  # the label is a kind: nothing more to say
      sober_vault: {kind: gold_vault, token: gold_token}

Which kinds there are is the registry's affair; none is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SerializeAsAny

from simulator.instruments import registry
from simulator.instruments.terms import RESERVED, Among, InstrumentTerms, Position
from simulator.schema.fields import Fault, Faults, Label

SECTION = "instruments"


def of_its_kind(data: Any) -> Any:
    """Return the terms that a mapping with a known `kind` stands for, validated.

    Raises
    ------
    ValidationError
        Of the kind's own terms.
    Faults
        The kind is unknown.
    """
    if not isinstance(data, dict):
        return data
    kind = data.get("kind")
    card = registry.cards().get(kind) if isinstance(kind, str) else None
    if card is None:
        raise Faults([_unknown(kind)])
    with registry.working_for("the terms", card.kind):
        return card.terms.model_validate(data)


def heard(chosen: dict[str, InstrumentTerms]) -> dict[str, InstrumentTerms]:
    """Ask every product once what it says of itself: one that cannot say fails under its name."""
    for label, terms in chosen.items():
        with registry.working_for(label, terms.kind):
            terms.positions(label)
            terms.needs()
    return chosen


Chosen = Annotated[
    dict[Label, Annotated[SerializeAsAny[InstrumentTerms], BeforeValidator(of_its_kind)]],
    BeforeValidator(lambda data: with_kinds(data)),
    AfterValidator(heard),
]
"""The type of the section."""


def with_kinds(data: Any) -> Any:
    """Return the section with every kind written out that the label says.

    Raises
    ------
    Faults
        It is of the form of old, in which kinds were sections.
    """
    if not isinstance(data, dict):
        return data
    kinds = registry.cards()
    old = [fault for section in data for fault in _of_old(section, data[section])]
    if old:
        raise Faults(old)
    return {
        label: {"kind": label, **terms}
        if label in kinds and isinstance(terms, dict) and "kind" not in terms
        else terms
        for label, terms in data.items()
    }


def terms_type(label: Any, data: Any) -> type[InstrumentTerms]:
    """Return the terms that a raw mapping is to be read as; the base where nobody knows."""
    kind = data.get("kind", label) if isinstance(data, dict) else label
    card = registry.cards().get(kind) if isinstance(kind, str) else None
    return InstrumentTerms if card is None else card.terms


def _unknown(kind: Any) -> Fault:
    """Return why a kind cannot be had: it is missing, broken, elsewhere, or misspelt."""
    known = registry.cards()
    if kind is None:
        rule = f"is required, unless the label is a kind: {', '.join(known)}"
        return (("kind",), "", rule)
    if not isinstance(kind, str):
        return (("kind",), "", f"must be text, a kind of instrument: {', '.join(known)}")
    value = f"'{kind}'"
    if kind in registry.offered().broken:
        return (("kind",), value, registry.offered().broken[kind])
    if kind in registry.BROUGHT_BY:
        rule = f"is brought by package {registry.BROUGHT_BY[kind]}, which is not installed"
        return (("kind",), value, rule)
    elsewhere = (*registry.BROUGHT_BY, *registry.offered().broken)
    near = get_close_matches(kind, dict.fromkeys((*known, *elsewhere)), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    return (("kind",), value, f"must be a kind of instrument; {hint}")


# -- the form of old ---------------------------------------------------------------------------


def _of_old(section: str, data: Any) -> Iterator[Fault]:
    """Yield a fault for each label that stands in a section named as its kind."""
    card = registry.cards().get(section)
    if card is None or not isinstance(data, dict) or not data:
        return
    fields = card.terms.model_fields
    if any(name in fields for name in data):
        # joined by `extends` with a label of today that is a kind: what holds terms is of old
        found = {name: terms for name, terms in data.items() if _holds_terms(name, terms, fields)}
    else:
        inner = [item for item in data.values() if item is not None]
        found = data if all(isinstance(item, dict) for item in inner) else {}
    for label, terms in found.items():
        rule = f"sections by kind are read no more: {_as_right(section, label, terms)}"
        yield (section, label), "", rule


def _holds_terms(name: str, item: Any, fields: Mapping[str, Any]) -> bool:
    """Return whether something in a label's terms is no term, but a label with terms itself."""
    return name not in fields and isinstance(item, dict) and bool(item) and set(item) <= set(fields)


def _as_right(kind: str, label: str, terms: Any) -> str:
    what = terms.get("kind") if isinstance(terms, dict) else None
    if terms is None:
        return f"write `{label}: null` directly under {SECTION}"
    more = f", what: {what}" if isinstance(what, str) else ""
    return f"write `{label}: {{kind: {kind}{more}, ...}}` directly under {SECTION}"


def as_named_now(name: str) -> str:
    """Return a dotted name of the old form as it would be right; empty for any other."""
    head, *rest = name.split(".")
    card = registry.cards().get(rest[0]) if rest else None
    if head != SECTION or card is None or len(rest) < 3 or rest[1] in card.terms.model_fields:
        return ""
    return ".".join((SECTION, *rest[1:]))


# -- what is in it -----------------------------------------------------------------------------


def positions(chosen: Mapping[str, InstrumentTerms]) -> dict[str, Position]:
    """Return everything that can be held, by name, in the order of tables."""
    return {
        position.name: position
        for label in registry.in_order(chosen)
        for position in chosen[label].positions(label)
    }


def homes(chosen: Mapping[str, InstrumentTerms]) -> dict[str, str]:
    """Return the label behind each position's name."""
    return {
        position.name: label
        for label, terms in chosen.items()
        for position in terms.positions(label)
    }


def section_faults(
    chosen: Mapping[str, InstrumentTerms], horizon_days: int, traded: frozenset[str]
) -> list[Fault]:
    """Return what instruments lack or have twice; places are seen from the scenario."""
    found = _label_faults(chosen)
    try:
        tuple(registry.turns(chosen))
    except registry.Circle as circle:
        where = (SECTION, circle.labels[0])
        return [*found, (where, "", f"must not stand on itself: {circle}")]
    among = Among(horizon_days, chosen, registry.with_ground(chosen, traded))
    for label, terms in chosen.items():
        with registry.working_for(label, terms.kind):
            faults = terms.faults(label, among)
        found += [((SECTION, label, *place), value, rule) for place, value, rule in faults]
    found += _trading_faults(chosen)
    for label, other in registry.stream_faults(chosen).items():
        rule = f"shares its random numbers with {other}; choose another label"
        found.append(((SECTION, label), "", rule))
    return found


def _trading_faults(chosen: Mapping[str, InstrumentTerms]) -> list[Fault]:
    """Return who trades where somebody else does: neither would see what the other moved."""
    found = list[Fault]()
    for label in chosen:
        first, *others = sorted(registry.visitors(chosen, label), key=list(chosen).index) or [""]
        rule = f"trades in {label}, as {first} does; only one instrument may"
        found += [((SECTION, other), "", rule) for other in others]
    return found


def _label_faults(chosen: Mapping[str, InstrumentTerms]) -> list[Fault]:
    kinds, found, taken = registry.cards(), list[Fault](), dict[str, str]()
    for label, terms in chosen.items():
        if label in kinds and terms.kind != label:
            rule = f"is the name of another kind; a {terms.kind} needs a label of its own"
            found.append(((SECTION, label), "", rule))
        for position in terms.positions(label):
            if position.name in RESERVED:
                rule = "is a name that Assay keeps for itself; must be another"
                found.append(((SECTION, label), "", rule))
            elif position.name in taken or (position.name != label and position.name in chosen):
                rule = f"is the name of another instrument: {position.name}"
                found.append(((SECTION, label), "", rule))
            taken[position.name] = label
    return found
