"""Long work that others may ask about: a private folder for each job, and a record that any server process can read.

The record is a file that its owner replaces about twice a second, so that a request for it may come to another process.
"""

from fileserver.jobs.jobs import TELL_S, Jobs, OpenJob
from fileserver.jobs.record import Json, NoRoomForJob, NoSuchJob, Record, State, Work
from fileserver.jobs.reports import Report
from fileserver.jobs.scratch import scratch_folder

__all__ = [
    "TELL_S",
    "Jobs",
    "Json",
    "NoRoomForJob",
    "NoSuchJob",
    "OpenJob",
    "Record",
    "Report",
    "State",
    "Work",
    "scratch_folder",
]
