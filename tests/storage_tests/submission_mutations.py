"""Ways to break a valid submission, and how the line begins that names the fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.storage_tests import row_mutations as rows
from tests.storage_tests import text_mutations as text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.storage_tests.valid_submission import Valid


def _kept_column(v: Valid) -> bytes | None:
    kept = [place for place in range(v.form.width) if place not in {*v.form.places, v.form.id_place}]
    return v.with_cell(kept[v.pick(len(kept))], "Private") if kept else None


def _value(new: str, *kinds: str) -> Callable[[Valid], bytes | None]:
    def broken(v: Valid) -> bytes | None:
        return v.with_value(new) if v.form.kind in (kinds or ("number", "probability", "label")) else None

    return broken


def _comma_value(v: Valid) -> bytes | None:
    if v.form.delimiter == "," or v.form.numbers.mark == "," or v.form.kind == "label":
        return None
    return v.with_value("0,5")


def _point_value(v: Valid) -> bytes | None:
    return v.with_value("0.5") if v.form.numbers.mark == "," else None


def _sum(v: Valid) -> bytes | None:
    return v.with_value("0.9999") if v.form.order else None


def _other_case(v: Valid) -> bytes | None:
    if v.form.kind != "label" or v.form.labels[0].swapcase() in v.form.labels:
        return None
    return v.with_value(v.form.labels[0].swapcase())


NUMERIC = ("number", "probability")
MUTATIONS: dict[str, tuple[str, Callable[[Valid], bytes | None]]] = {
    "a row dropped": ("ids: got 1 that are missing", rows.drop_row),
    "a row repeated": ("ids: got 1 that are there more than once", rows.repeat_row),
    "appended to itself": ("ids: got", rows.append_again),
    "two rows swapped": ("order: got id", rows.swap_rows),
    "rows reversed": ("order: got id", rows.reverse_rows),
    "an unknown id": ("ids: got 1 that are missing", rows.unknown_id),
    "zeros lost": ("ids: got", rows.bare_ids),
    "an id as decimal": ("ids: got 1 that are missing", rows.decimal_id),
    "header dropped": ("header: got none", rows.header_dropped),
    "header added": ("header: got", rows.header_added),
    "header twice": ("ids: got 1 that are not in the test data", rows.header_twice),
    "header renamed": ("header: got", rows.header_renamed),
    "a comment first": ("columns: got 1 rows of another width, first row 1", rows.comment_first),
    "columns reversed": ("header: got|ids: got|values: got", rows.columns_swapped),
    "an index column": ("columns: got", rows.column_added),
    "the last column dropped": ("columns: got", rows.last_column_dropped),
    "a delimiter after each row": ("columns: got", rows.trailing_delimiter),
    "another delimiter": ("delimiter: got", rows.other_delimiter),
    "one row too wide": (
        "columns: got 1 rows of another width|file: got an empty file",
        rows.one_row_too_wide,
    ),
    "other line ends": ("line ends: got", text.other_line_ends),
    "the last line's end": ("last line: got", text.last_end),
    "a blank line": ("lines: got", text.blank_line),
    "a blank line at the end": ("lines: got", text.blank_end),
    "a byte order mark": ("encoding: got UTF-8 with byte order mark", text.mark_added),
    "no byte order mark": ("encoding: got no byte order mark", text.mark_dropped),
    "another encoding": ("encoding: got|header: got|ids: got|values: got", text.other_encoding),
    "two bytes a character": ("encoding: got UTF-16", text.wide_characters),
    "an id in quotes": ("quotes: got", text.quoted_id),
    "quotes dropped": ("quotes: got", text.unquoted),
    "an open quote": ("ids: got|columns: got", text.open_quote),
    "a space": ("spaces: got", text.space),
    "cut in a line": ("columns: got 1 rows of another width", text.cut),
    "empty": ("file: got an empty file", text.empty),
    "blank": ("file: got nothing but blank lines", text.blank),
    "gzipped": ("file: got a gzip file", text.gzipped),
    "zipped": ("file: got a zip or Excel file", text.zipped),
    "a web page": ("file: got a web page", text.page),
    "JSON": ("file: got JSON", text.as_json),
    "a NUL": ("text: got 1 NUL characters", text.nul),
    "a kept column changed": ("column ", _kept_column),
    "NaN": ("values: got 1 that are NaN", _value("nan", *NUMERIC)),
    "no value": ("values: got 1 that are missing", _value("", *NUMERIC)),
    "None": ("values: got 1 that are missing", _value("None")),
    "infinity": ("values: got 1 that are infinite", _value("-inf", *NUMERIC)),
    "beyond all numbers": ("values: got 1 that are infinite", _value("1e999", *NUMERIC)),
    "a word": ("values: got 1 that are no number", _value("dear", *NUMERIC)),
    "an underscore": ("values: got 1 that are no number", _value("1_0", *NUMERIC)),
    "a percentage": ("values: got 1 that are no number", _value("50%", *NUMERIC)),
    "a hexadecimal": ("values: got 1 that are no number", _value("0x1F", *NUMERIC)),
    "a decimal comma": ("values: got 1 that are numbers with another decimal mark", _comma_value),
    "a decimal point": ("values: got 1 that are numbers with another decimal mark", _point_value),
    "a negative probability": ("values: got 1 that are no probabilities", _value("-0.25", "probability")),
    "a percentage as probability": ("values: got 1 that are no probabilities", _value("97", "probability")),
    "probabilities of another sum": ("values: got 1 that are rows of probabilities that do not sum", _sum),
    "an unknown class": ("values: got 1 that are not among the classes", _value("unheard-of", "label")),
    "a class in another case": ("values: got 1 that are not among the classes", _other_case),
    "a probability for a class": ("values: got 1 that are not among the classes", _value("0.25", "label")),
}
