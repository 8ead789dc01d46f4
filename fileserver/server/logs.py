"""Where log lines go: all to standard error, the access lines bare, so that each is one JSON object."""

import asyncio
import logging
import logging.config

from fileserver.lifespan import Stopped
from fileserver.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Set up logging for this process."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"concise": {"()": _Concise}},
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
                "bare": {"format": "%(message)s"},
            },
            "handlers": {
                "line": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["concise"]},
                "bare": {"class": "logging.StreamHandler", "formatter": "bare"},
            },
            "root": {"handlers": ["line"], "level": "WARNING"},
            "loggers": {
                "fileserver": {"level": settings.log_level.upper()},
                "fileserver.access": {"handlers": ["bare"], "level": "INFO", "propagate": False},
                "fileserver.upkeep": {"handlers": ["bare"], "propagate": False},
                "python_multipart": {"level": "ERROR"},  # a malformed form is the client's fault: the answer says so
                # its news of starting and stopping repeat what we say ourselves
                "uvicorn": {"level": "DEBUG" if settings.log_level == "debug" else "WARNING"},
            },
        }
    )


class _Concise(logging.Filter):
    """Says in a line what uvicorn says with a traceback, where it is no fault of ours.

    A transfer that we cut ourselves at a stop goes without a word. An answer that was torn off for a reason that we
    have an error answer for, had it not begun, is told with that reason.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RuntimeError) and str(error).startswith(_TORN) and error.__cause__ is not None:
            cause = error.__cause__
            record.msg, record.args = "An answer was torn off: %s: %s", (type(cause).__name__, cause)
            record.exc_info = record.exc_text = None
        return not isinstance(error, asyncio.CancelledError | Stopped)


_TORN = "Caught handled exception, but response already started"  # Starlette's words
