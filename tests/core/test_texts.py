"""Fields are described by the strings below them, as by pydantic's own, slower way."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from simulator.schema.texts import Described


class Ours(Described):
    first: int
    """On two
    lines."""
    second: Annotated[int, Field(ge=0)] = 1
    third: int = Field(2, description="Its own.")
    """Not this."""

    class Within(Described):
        deep: int
        """Of a class within a class."""


class OursAndMore(Ours):
    fourth: Ours.Within
    """Added."""
    second: int = 3
    """Told now."""


class Theirs(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    first: int
    """On two
    lines."""
    second: Annotated[int, Field(ge=0)] = 1
    third: int = Field(2, description="Its own.")
    """Not this."""


def texts(model):
    return {name: field.description for name, field in model.model_fields.items()}


def test_texts__of_a_class__are_those_that_pydantic_finds():
    assert texts(Ours) == texts(Theirs)
    assert texts(Ours) == {"first": "On two\nlines.", "second": None, "third": "Its own."}


def test_texts__of_an_heir__are_the_parents_and_its_own():
    found = texts(OursAndMore)
    assert found["first"] == "On two\nlines."
    assert (found["second"], found["fourth"]) == ("Told now.", "Added.")
    assert texts(Ours.Within) == {"deep": "Of a class within a class."}


def test_schema__of_a_model__has_them():
    properties = OursAndMore.model_json_schema()["properties"]
    assert properties["first"]["description"] == "On two\nlines."
    assert properties["fourth"]["description"] == "Added."
