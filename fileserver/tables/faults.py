"""What can be wrong with a table or with a plan for it."""


class TableFault(Exception):
    """A transform cannot go on; `reason` says why, in words meant for the person who asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlanFault(TableFault):
    """The plan cannot be followed: `parameter` is at fault, from the 0-based character `position` of its value."""

    def __init__(self, parameter: str, position: int, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter
        self.position = position


class HeaderFault(TableFault):
    """The table has no beginning to work with: it is empty, or its first record is malformed or too large."""


class RowFault(TableFault):
    """A row is malformed: the `row`-th of the data, which begins on the physical line `line`; both count from 1."""

    def __init__(self, row: int, line: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.line = line
