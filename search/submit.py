"""Sends a submission through the installed signate or kaggle command: a dry run, unless --send is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.command import NOT_DONE, exit_code_of
from search.config import SubmitConfig
from search.flags import parse_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.results.sending import Plan
    from storage.layout import Layout

ABOUT = (
    "Verifies a submission file and shows the command that would send it. With --send it asks once more, runs the "
    "command and remembers that the file was sent; the same file is not sent twice. Nothing else here ever sends."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""

    def body() -> int:
        config = parse_flags(SubmitConfig, argv, command="submit", about=ABOUT).checked()
        from search.results.sending import plan_sending
        from search.verify import lines
        from storage.layout import Layout

        layout = Layout(storage=config.storage)
        plan = plan_sending(config, layout)
        for line in lines(plan.verification):
            print(line)
        if not plan.verification.is_sound:
            print("Not sent: only a file that is valid and known is")
            return NOT_DONE
        return _send(plan, layout)

    return exit_code_of(body)


def _send(plan: Plan, layout: Layout) -> int:
    from search.results.sending import send

    print(f"Command: {plan.text}")
    if not plan.config.send:
        print("Dry run: nothing was sent. To send it, add --send")
        return 0
    if not plan.config.yes and not _confirmed():
        print("Not sent")
        return NOT_DONE
    code = send(plan, layout)
    print("Sent" if code == 0 else f"Not sent: the command ended with exit code {code}")
    return 0 if code == 0 else NOT_DONE


def _confirmed() -> bool:
    try:
        return input("Send it? Competitions limit how often. Type yes: ").strip().lower() == "yes"
    except EOFError:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
