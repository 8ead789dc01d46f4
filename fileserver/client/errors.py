"""What goes wrong for a client. The text of each is one line for people."""


class ClientError(Exception):
    """The transfer cannot go on as it is."""


class Broken(ClientError):
    """The connection was cut, or the server is in trouble: it may go better later.

    `retry_after_s` is how long the server asks to be left alone; `status` its answer, where there was one.
    """

    def __init__(self, words: str, *, retry_after_s: float = 0, status: int | None = None) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s
        self.status = status


class Unreachable(Broken):
    """There is no server, and there was none before: a wrong name is likelier than bad luck."""


class StartOver(Broken):
    """What was fetched or sent so far is of no use: begin again from the first byte."""


class Failed(ClientError):
    """Trying again would not help."""


class Refused(Failed):
    """The server's no, with its status."""

    def __init__(self, words: str, *, status: int) -> None:
        super().__init__(words)
        self.status = status
