"""What can go wrong with a journal."""

from openstile.terms import OpenstileError


class JournalError(OpenstileError):
    """The journal cannot be read or written now: the message names the file, what is wrong and what to do."""

    exit_code = 4


class JournalInUseError(JournalError):
    """Another process holds the journal."""


class JournalBrokenError(JournalError):
    """The journal does not say what the gate once wrote.

    `seq` is the first tap that is wrong, or None when the fault lies outside the chain of taps; `fault` says how.
    """

    def __init__(self, *, journal: str, seq: int | None, fault: str) -> None:
        where = "" if seq is None else f"tap {seq}: "
        super().__init__(
            f"journal {journal}: broken: {where}{fault}; keep the file as it is for whoever investigates, "
            "and let the gate begin a new journal"
        )
        self.seq = seq
        self.fault = fault
