"""The guides, taken to pieces: their fenced blocks, and what a test makes small before it types them."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH = DOCS / "guide.md"
JAPANESE = DOCS / "guide.ja.md"
N_TRIALS = 6
_SMALLER = (
    ("--rows 1000", "--rows 300 --folds 2 --seed 7"),
    ("--trials 200", "--trials 2 --folds 2 --workers 0"),
    ("--trials 20", f"--trials {N_TRIALS} --workers 0"),
    ("search.baseline\n", "search.baseline --folds 2\n"),
)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: The fence's first word: bash and python are run, toml is added to the settings file, sql is typed
            into MLflow's search box, text is what was printed.
        place: Where it is run: "" for the reader's folder, else what follows `in=` in the fence.
        body: What is in it.
        line: Its fence's line in the guide.
    """

    language: str
    place: str
    body: str
    line: int

    @property
    def small(self) -> str:
        """The body on fewer rows, folds and trials."""
        body = self.body
        for there, here in _SMALLER:
            body = body.replace(there, here)
        return body

    @property
    def meaning(self) -> tuple[str, str, str]:
        """The block without comments, and without the text of a note: what two languages must have in common."""
        if self.language == "python":
            return self.language, self.place, _without_comments(self.body)
        body = re.sub(r" +#.*", "", self.body) if self.language in {"bash", "toml"} else self.body
        return self.language, self.place, re.sub(r'(--note) ".*?"', r"\1", body)


def blocks_of(guide: Path) -> list[Block]:
    """All fenced blocks of a guide, in order."""
    text = guide.read_text(encoding="utf-8")
    return [
        Block(match[1], match[2] or "", match[3], text.count("\n", 0, match.start()) + 1)
        for match in re.finditer(r"^```(\w*)(?: in=(\w+))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def pattern_of(line: str) -> str:
    """A regular expression for a printed line with any figures and any times, for a smaller study has others."""
    figures = re.sub(r"[0-9a-f]{32}|[-+]?\d+(\.\d+)?", "0", line)
    return re.escape(figures).replace("0", r"([0-9a-f]{32}|[-+]?\d+(\.\d+)?)")


def _without_comments(body: str) -> str:
    tokens = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(body).readline)
        if token.type not in {tokenize.COMMENT, tokenize.NL}
    ]
    return re.sub(r'("note" ,) ".*?"', r"\1", " ".join(tokens))
