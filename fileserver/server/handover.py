"""What the parent hands to a worker process, in one environment variable."""

import json
import os
from dataclasses import dataclass
from typing import Self

from fileserver.settings import Settings

# Not FILESERVER_…: it is no setting, and nobody sets it.
HANDOVER_VARIABLE = "_FILESERVER_WORKER"
READY = b"r"


@dataclass(frozen=True, slots=True)
class Handover:
    """The application's factory by name, the settings, and descriptors: listening sockets and the lifeline."""

    app: str
    settings: Settings
    sockets: tuple[int, ...]
    lifeline: int

    def as_text(self) -> str:
        """As JSON."""
        settings = self.settings.model_dump(mode="json")
        return json.dumps({"app": self.app, "settings": settings, "sockets": self.sockets, "lifeline": self.lifeline})

    @classmethod
    def take(cls) -> Self:
        """What this process was handed; taken out of the environment, so that its children do not see it."""
        content = json.loads(os.environ.pop(HANDOVER_VARIABLE))
        return cls(content["app"], Settings(**content["settings"]), tuple(content["sockets"]), content["lifeline"])
