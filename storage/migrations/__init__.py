"""The catalogue's history, as Alembic revisions."""

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config

_alone = Lock()  # Alembic's environment is global to the process


def upgrade(path: Path) -> None:
    """Bring the SQLite file to the newest revision, making it where there is none."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["path"] = path
    with _alone:
        command.upgrade(config, "head")
