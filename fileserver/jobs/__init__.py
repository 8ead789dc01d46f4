"""Long work that others may ask about: a private folder for each job, and a record that any server process can read.

The record is a file that its owner replaces about twice a second, so that a request for it may come to another process.
"""

from fileserver.jobs.jobs import Jobs, OpenJob
from fileserver.jobs.record import Json, NoRoomForJob, NoSuchJob, Record, State
from fileserver.jobs.scratch import scratch_folder

__all__ = ["Jobs", "Json", "NoRoomForJob", "NoSuchJob", "OpenJob", "Record", "State", "scratch_folder"]
