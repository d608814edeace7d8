"""Ways to break a submission as a table; None where a file cannot be broken so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.storage_tests.valid_submission import Valid


def drop_row(v: Valid) -> bytes | None:
    """Drop row."""
    if not v.is_lines:
        return None
    row = v.first + v.pick(len(v.rows) - 1)
    return v.encoded("".join(v.lines[:row] + v.lines[row + 1 :]))


def repeat_row(v: Valid) -> bytes | None:
    """Repeat row."""
    if not v.is_lines:
        return None
    row = v.first + v.pick(len(v.rows) - 1)
    return v.encoded("".join([*v.lines[:row], v.lines[row], *v.lines[row:]]))


def append_again(v: Valid) -> bytes | None:
    """Append again."""
    ends_well = v.text.endswith(("\n", "\r"))
    return v.encoded(v.text + "".join(v.lines[v.first :])) if v.is_lines and ends_well else None


def swap_rows(v: Valid) -> bytes | None:
    """Swap rows."""
    lines = v.lines
    row = v.first + v.pick(len(v.rows) - 1)
    if not v.is_lines or lines[row + 1][-1] not in "\r\n":
        return None
    lines[row], lines[row + 1] = lines[row + 1], lines[row]
    return v.encoded("".join(lines))


def reverse_rows(v: Valid) -> bytes | None:
    """Reverse rows."""
    whole = v.is_lines and v.text.endswith(("\n", "\r"))
    return v.encoded("".join(v.lines[: v.first] + v.lines[v.first :][::-1])) if whole else None


def unknown_id(v: Valid) -> bytes:
    """Unknown id."""
    return v.with_cell(v.form.id_place, "99999999")


def bare_ids(v: Valid) -> bytes | None:
    """Bare ids."""
    if not v.form.ids[0].startswith("0") or not v.is_lines:
        return None
    parts, last = [], 0
    for row in v.rows:
        cell = row[v.form.id_place]
        parts += [v.text[last : cell.start], cell.text.lstrip("0") or "0"]
        last = cell.end
    return v.encoded("".join(parts) + v.text[last:])


def decimal_id(v: Valid) -> bytes | None:
    """Decimal id."""
    row = v.pick(len(v.rows))
    cell = v.rows[row][v.form.id_place]
    return v.encoded(v.text[: cell.end] + ".0" + v.text[cell.end :]) if cell.text.isdigit() else None


def header_dropped(v: Valid) -> bytes | None:
    """Header dropped."""
    return v.encoded("".join(v.lines[1:])) if v.form.header and v.is_lines else None


def header_added(v: Valid) -> bytes | None:
    """Header added."""
    names = v.form.delimiter.join(f"column{place}" for place in range(v.form.width))
    return None if v.form.header else v.encoded(names + v.end + v.text)


def header_twice(v: Valid) -> bytes | None:
    """Header twice."""
    return v.encoded(v.lines[0] + v.text) if v.form.header and v.is_lines else None


def header_renamed(v: Valid) -> bytes | None:
    """Header renamed."""
    if not v.names:
        return None
    cell = v.names[0][v.pick(v.form.width)]
    return v.encoded(v.text[: cell.end] + "2" + v.text[cell.end :])


def comment_first(v: Valid) -> bytes:
    """Comment first."""
    return v.encoded("# written by me" + v.end + v.text)


def columns_swapped(v: Valid) -> bytes | None:
    """Columns swapped."""
    if not v.is_lines or '"' in v.text:
        return None
    mark = v.form.delimiter
    swapped = [
        mark.join(line.rstrip("\r\n").split(mark)[::-1]) + line[len(line.rstrip("\r\n")) :]
        for line in v.lines
    ]
    return v.encoded("".join(swapped))


def column_added(v: Valid) -> bytes | None:
    """Column added."""
    if not v.is_lines:
        return None
    return v.encoded("".join(f"{n}{v.form.delimiter}{line}" for n, line in enumerate(v.lines)))


def last_column_dropped(v: Valid) -> bytes | None:
    """Last column dropped."""
    if not v.is_lines or '"' in v.text:
        return None
    cut = [line.rstrip("\r\n").rpartition(v.form.delimiter)[0] + v.end for line in v.lines]
    return v.encoded("".join(cut))


def trailing_delimiter(v: Valid) -> bytes | None:
    """Trailing delimiter."""
    if not v.is_lines:
        return None
    return v.encoded("".join(line.rstrip("\r\n") + v.form.delimiter + v.end for line in v.lines))


def other_delimiter(v: Valid) -> bytes | None:
    """Other delimiter."""
    other = "\t" if v.form.delimiter != "\t" else ";"
    return v.encoded(v.text.replace(v.form.delimiter, other)) if v.is_lines and '"' not in v.text else None


def one_row_too_wide(v: Valid) -> bytes:
    """One row too wide."""
    cell = v.rows[v.pick(len(v.rows))][0]
    return (
        v.encoded(v.text[: cell.start] + "0" + v.form.delimiter + v.text[cell.start :]) if v.is_bare else b""
    )
