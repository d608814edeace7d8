from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives.data.columns import ColumnEncoder
from objectives.data.features.choice import FeatureChoice
from objectives.data.features.dates import DateParts
from objectives.data.features.finding import find_columns
from objectives.data.features.geo import Geo, learn_geo
from objectives.data.features.months import Months
from objectives.data.features.tags import Tags, learn_tags
from objectives.data.features.text import Text

MISSING = float("nan")
RNG = np.random.default_rng(3)


def listing(n: int) -> list[str]:
    """Lists of tags, of one to five each."""
    return [
        "/".join(sorted(RNG.choice(list("abcdefgh"), RNG.integers(1, 6), replace=False))) for _ in range(n)
    ]


def found(values: list[Any], **choice: Any) -> list[str]:
    """The kinds of the features that a column alone becomes."""
    choices = FeatureChoice(**choice)
    return [
        part.kind for part in find_columns(pd.DataFrame({"c": values}), ["c"], None, choices).encoder.columns
    ]


def test_months_are_evenly_spaced() -> None:
    """December and January are neighbours, which 202312 and 202401 are not; the season is a feature."""
    encoded = Months("m").encode(pd.Series([202312, 202401, "197001", 202300, 202313, None, 5]))

    assert encoded[:, 0] == pytest.approx([647, 648, 0, 636, *[MISSING] * 3], nan_ok=True)
    assert encoded[:, 1] == pytest.approx([12, 1, 1, *[MISSING] * 4], nan_ok=True)


def test_the_calendar_of_a_date() -> None:
    """Year, month and weekday are those of the calendar, from any way to write the day."""
    parts = DateParts("d", ("year", "month", "weekday"))

    encoded = parts.encode(pd.Series(["2024-02-29", "2024/2/29", None]))

    assert encoded[:2].tolist() == [[2024, 2, 3]] * 2
    assert np.isnan(encoded[2]).all()


def test_dates_with_slashes_are_dates() -> None:
    """Japanese files write 2024/1/31; it is a date, not a list of three tags."""
    assert found([f"2024/{1 + i % 12}/{1 + i % 28}" for i in range(400)])[0] == "date"


def test_the_calendar_is_added_where_it_is_asked_for() -> None:
    """A named date gets the parts of the calendar that vary, beside its place in time."""
    days = [f"2024-0{1 + i % 3}-{1 + i % 28:02d}" for i in range(90)]

    assert found(days) == ["date"]
    assert found(days, calendar=("c",)) == ["date", "date_parts"]


def test_each_frequent_tag_is_a_feature() -> None:
    """A list in a cell becomes an indicator for each frequent tag, and how many it holds."""
    tags = Tags("t", "/", ("bath", "pets"))

    encoded = tags.encode(pd.Series(["pets/bath", "pets / sauna/", "", None]))

    assert tags.names == ("t=bath", "t=pets", "t.count")
    assert encoded[:3].tolist() == [[1, 1, 2], [0, 1, 2], [0, 0, 0]]
    assert np.isnan(encoded[3]).all()


@pytest.mark.parametrize("separator", ["/", "|", ";", ",", "、"])
def test_separators_are_found(separator: str) -> None:
    """The sign between tags is found out, and tags too rare to learn from have no indicator."""
    values = [text.replace("/", separator) for text in listing(400)]
    values[0] = f"a{separator}once"

    tags = learn_tags(pd.Series(values, name="t"))

    assert tags.separator == separator
    assert tags.levels == tuple("abcdefgh")


def test_text_is_counted_whatever_the_language() -> None:
    """Length and a bag of character pairs: equal texts are equal, in full width or half."""
    encoded = Text("t", width=8).encode(pd.Series(["駅まで５分", "駅まで5分", "静かな部屋 です", None]))

    assert encoded.shape == (4, 10)
    assert encoded[0].tolist() == encoded[1].tolist()
    assert encoded[2, :2].tolist() == [8, 2]
    assert encoded[2, 2:].sum() == 7
    assert np.isnan(encoded[3]).all()


def test_places_have_distances() -> None:
    """Turned coordinates keep distances, and each reference point is at distance 0 from itself."""
    rows = pd.DataFrame({"lat": RNG.uniform(35, 36, 300), "lon": RNG.uniform(139, 140, 300)})
    geo = learn_geo(rows["lat"], rows["lon"])
    points = pd.DataFrame(geo.references, columns=["lat", "lon"])

    encoded = geo.encode(points["lat"], points["lon"])

    assert np.diag(encoded[:, 2:]) == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.hypot(*(encoded[0, :2] - encoded[1, :2])) == pytest.approx(encoded[0, 3])
    assert geo.squeeze == pytest.approx(np.cos(np.radians(35.5)), abs=0.01)


def test_coordinates_in_metres_are_not_squeezed() -> None:
    """Northing and easting in metres have the same unit already."""
    metres = pd.Series(RNG.uniform(200_000, 300_000, 50), name="y")

    assert learn_geo(metres, metres.rename("x")).squeeze == 1


def test_kinds_are_learned_from_the_given_rows_only() -> None:
    """Tags and reference points come from the training rows: rows of another table change nothing."""
    train = pd.DataFrame({"t": listing(200), "lat": RNG.random(200), "lon": RNG.random(200)})
    encoder = find_columns(train, list(train), None).encoder
    other = pd.DataFrame({"t": ["new/other"], "lat": [99.0], "lon": [-99.0]})

    assert {part.kind for part in encoder.columns} == {"tags", "number", "geo"}
    assert encoder.transform(other).shape == (1, len(encoder.names))
    assert encoder.transform(other)[0, 0] == 0


PARTS = st.one_of(
    st.builds(Months, st.text()),
    st.builds(DateParts, st.text(), st.lists(st.sampled_from(["year", "month"]), unique=True).map(tuple)),
    st.builds(Tags, st.text(), st.sampled_from("/|"), st.lists(st.text(), unique=True).map(tuple)),
    st.builds(Text, st.text(), st.integers(1, 64)),
    st.builds(
        Geo,
        st.text(),
        st.text(),
        st.floats(0, 1),
        st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=3).map(tuple),
    ),
)


@given(st.lists(PARTS, max_size=4).map(tuple))
def test_json_round_trip(parts: tuple[Any, ...]) -> None:
    """A saved encoder of any kinds is the encoder that was saved."""
    encoder = ColumnEncoder(parts)

    assert ColumnEncoder.from_json(encoder.to_json()) == encoder


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ([199001 + i % 12 for i in range(50)], ["months"]),
        ([199001 + i % 13 for i in range(50)], ["number"]),
        ([202401, 202402] * 20, ["number"]),
        ([100000 + 7 * i for i in range(50)], ["number"]),
        (listing(300), ["tags"]),
        (["a/b", "b/c"] * 100, ["category"]),
        ([f"{i % 9}/{10 + i % 7}" for i in range(300)], ["category"]),
        ([f"{i % 7},{i % 1000:03d}" for i in range(300)] * 2, ["written_number"]),
        ([f"東京都港区{i % 30}" for i in range(90)], ["category"]),
        (
            [f"駅から徒歩{i}分の明るい部屋です。ペット相談可、バストイレ別、南向き。" for i in range(90)],
            ["text"],
        ),
        ([f"short {i}" for i in range(90)], []),
        ([f"building {i % 900}" for i in range(2000)], ["category"]),
    ],
)
def test_guesses_are_careful(values: list[Any], kinds: list[str]) -> None:
    """A column is a number, written or plain, or a category unless its cells can hardly be another kind."""
    assert found(values) == kinds


def test_an_empty_list_finds_nothing_out() -> None:
    """Who says there are no months, tags or text gets numbers and categories."""
    assert found([199001 + i % 12 for i in range(50)], months=()) == ["number"]
    assert found([*listing(300)] * 2, tags=()) == ["category"]


def test_what_is_said_is_done() -> None:
    """A named column is of the named kind, although no guess would have made it so."""
    assert found(["a/b", "b/c"] * 100, tags=("c",)) == ["tags"]
    assert found(["a b", "b c"] * 100, text=("c",)) == ["text"]
    assert found([202401, 202402] * 20, months=("c",)) == ["months"]
