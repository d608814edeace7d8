"""The `[space]` table of a settings file: each entry narrows, widens, fixes or conditions one parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar = bool | int | float | str
Finite = Annotated[float, Field(allow_inf_nan=False)]
Number = int | Finite


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _tupled(value: object) -> object:
    # Where types are taken strictly, a list is no tuple.
    return tuple(value) if isinstance(value, list) else value


Values = Annotated[tuple[Scalar, ...], BeforeValidator(_listed, json_schema_input_type=Scalar | list[Scalar])]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, Values] = Field(
        {}, description="other parameters' values (one, or a list) with which this one is searched at all"
    )


class Range(_Entry):
    """Numbers between two bounds; what is left out is as in the objective's own space."""

    low: Number | None = Field(None, description="smallest value")
    high: Number | None = Field(None, description="largest value")
    log: bool | None = Field(None, description="whether to search on a logarithmic scale")
    step: Number | None = Field(None, gt=0, description="distance between two values")
    kind: Literal["int", "float"] | None = Field(None, description="whole numbers or any")

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low <= high, not {self.low} > {self.high}")
        if self.log and self.low is not None and self.low <= 0:
            raise ValueError(f"low above 0 where log = true, not {self.low}")
        if self.log and self.step is not None:
            raise ValueError("log = true or a step, not both")
        return self


class Choices(_Entry):
    """One of several values."""

    choices: Annotated[tuple[Scalar, ...], BeforeValidator(_tupled, json_schema_input_type=list[Scalar])] = (
        Field(min_length=1, description="values to choose from")
    )

    @model_validator(mode="after")
    def _are_different(self) -> Choices:
        if len({(type(one) is bool, one) for one in self.choices}) < len(self.choices):
            raise ValueError("each value once")
        return self


class Fixed(_Entry):
    """A single value."""

    value: Scalar = Field(description="the value")


_KEYS = frozenset({"low", "high", "log", "step", "kind", "when", "choices", "value"})


def _table(value: object) -> object:
    """The short forms as tables: a value is fixed, a list is choices."""
    if isinstance(value, (list, tuple)):
        return {"choices": tuple(value)}
    return value if isinstance(value, (dict, BaseModel)) else {"value": value}


def _kind(value: Any) -> str:
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "choices" if "choices" in keys else "value" if "value" in keys else "range"


Entry = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")] | Annotated[Fixed, Tag("value")],
    Discriminator(_kind),
    BeforeValidator(_table, json_schema_input_type=Scalar | list[Scalar] | Range | Choices | Fixed),
]


def _is_group(name: str, value: object) -> bool:
    """Whether a table is that of an objective, with an entry for each of its parameters."""
    if not isinstance(value, dict) or not value or value.keys() & _KEYS:
        return False
    if any(isinstance(one, (dict, list, tuple)) for one in value.values()):
        return True
    from objectives.base import OBJECTIVES

    return name in OBJECTIVES


def _with_groups(schema: dict[str, Any]) -> None:
    entry = schema["additionalProperties"]
    group = {"additionalProperties": entry, "description": "Parameters of an objective.", "type": "object"}
    schema["additionalProperties"] = {"anyOf": [*entry["anyOf"], group]}


class SpaceTable(RootModel[dict[str, Entry]]):
    """All entries, by parameter; those of a table of an objective's own are named `<objective>.<parameter>`."""

    model_config = ConfigDict(frozen=True, json_schema_extra=_with_groups)

    @model_validator(mode="before")
    @classmethod
    def _flattened(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        flat: dict[str, Any] = {}
        for name, one in value.items():
            flat |= (
                {f"{name}.{key}": entry for key, entry in one.items()}
                if _is_group(name, one)
                else {name: one}
            )
        return flat

    def __bool__(self) -> bool:
        return bool(self.root)

    def entries(self) -> Iterator[tuple[str, Range | Choices | Fixed]]:
        """Name and entry of each parameter, as written."""
        yield from self.root.items()
