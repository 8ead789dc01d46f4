"""`fileserver transform`: the plans that the server takes, over files of this machine, in the same sandboxed worker."""

from fileserver.transform_command.command import transform

__all__ = ["transform"]
