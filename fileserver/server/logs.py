"""Where log lines go: all to standard error, the access lines bare, so that each is one JSON object."""

import asyncio
import logging
import logging.config

from fileserver.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Set up logging for this process."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"not_cancelled": {"()": _NotCancelled}},
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
                "bare": {"format": "%(message)s"},
            },
            "handlers": {
                "line": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["not_cancelled"]},
                "bare": {"class": "logging.StreamHandler", "formatter": "bare"},
            },
            "root": {"handlers": ["line"], "level": "WARNING"},
            "loggers": {
                "fileserver": {"level": settings.log_level.upper()},
                "fileserver.access": {"handlers": ["bare"], "level": "INFO", "propagate": False},
                "python_multipart": {"level": "ERROR"},  # a malformed form is the client's fault: the answer says so
                # its news of starting and stopping repeat what we say ourselves
                "uvicorn": {"level": "DEBUG" if settings.log_level == "debug" else "WARNING"},
            },
        }
    )


class _NotCancelled(logging.Filter):
    """Leaves out the traceback that uvicorn prints for each transfer that we cut ourselves."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, asyncio.CancelledError)
