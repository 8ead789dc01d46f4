"""Faults of tables, plans and media as problems."""

from collections.abc import Mapping

from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemType
from fileserver.media import (
    CannotConvert,
    DamagedMedia,
    MediaBusy,
    MediaEngineFailed,
    MediaFault,
    MediaMissing,
    MediaOutOfMemory,
    MediaOutOfTime,
    NoSuchTrack,
    NotMedia,
)
from fileserver.tables import (
    PARAMETERS,
    EncodingFault,
    EngineFailed,
    HeaderFault,
    NeedsStoredInput,
    OutOfMemory,
    OutOfTime,
    PlanFault,
    RowFault,
    TableFault,
    TooManyRejects,
)

_TYPES: Mapping[type[TableFault | MediaFault], ProblemType] = {
    CannotConvert: problems.CANNOT_CONVERT,
    DamagedMedia: problems.DAMAGED_MEDIA,
    EncodingFault: problems.BAD_ENCODING,
    EngineFailed: problems.ENGINE_FAILED,
    HeaderFault: problems.MALFORMED_TABLE,
    MediaBusy: problems.MEDIA_BUSY,
    MediaEngineFailed: problems.MEDIA_ENGINE_FAILED,
    MediaMissing: problems.MEDIA_MISSING,
    MediaOutOfMemory: problems.MEDIA_OUT_OF_MEMORY,
    MediaOutOfTime: problems.MEDIA_OUT_OF_TIME,
    NeedsStoredInput: problems.NEEDS_STORED_INPUT,
    NoSuchTrack: problems.NO_SUCH_TRACK,
    NotMedia: problems.NOT_MEDIA,
    OutOfMemory: problems.OUT_OF_MEMORY,
    OutOfTime: problems.OUT_OF_TIME,
    PlanFault: problems.PLAN_FAULT,
    RowFault: problems.MALFORMED_ROW,
    TableFault: problems.TABLE_FAULT,
    TooManyRejects: problems.TOO_MANY_REJECTS,
}


def problem_of_fault(fault: TableFault | MediaFault) -> Problem:
    """The problem that a fault is; what is known of the place in a table comes as members of the document."""
    if isinstance(fault, MediaFault):
        return Problem(_TYPES[type(fault)], f"{fault.detail[:1].upper()}{fault.detail[1:]}.")
    members = {
        name: value
        for name, value in fault.as_message().items()
        if name not in ("code", "reason") and value is not None
    }
    if isinstance(fault, PlanFault) and fault.field in PARAMETERS:
        members["parameter"] = fault.field
    return Problem(_TYPES[type(fault)], fault.reason, members)
