"""Bytes by key, and what is known of them. Knows no HTTP."""

from storage.arriving import Arriving
from storage.catalogue import Catalogue
from storage.change import Change, ChangeKind, NewChange, public_name
from storage.changes import Changes, Extent
from storage.comment import Comment, NewComment
from storage.comments import CommentPage, Comments, CommentSweep
from storage.errors import (
    DigestMismatch,
    DraftBusy,
    FolderInTheWay,
    InvalidKey,
    IsFolder,
    KeyBusy,
    LengthMismatch,
    NoSpace,
    NotFound,
    NotKept,
    OffsetMismatch,
    OtherFileSystem,
    PreconditionFailed,
    PromiseExceeded,
    ReadOnlyStore,
    StorageError,
    StoreDamaged,
    StoreDegraded,
    StoreUnavailable,
    TooLarge,
    TooManyComments,
    TooManyUploads,
    UnderFile,
    UploadExpired,
    UploadIsComplete,
    UploadTakenOver,
)
from storage.foreign import ForeignChanges
from storage.keys import (
    RESERVED_NAME,
    ROOT,
    Folder,
    Key,
    folder_to_read,
    folder_to_write,
    key_to_read,
    key_to_write,
    name_of,
)
from storage.library import HEAD_SIZE, Detect, Library, Received
from storage.local import LocalStore
from storage.memory import MemoryStore
from storage.model import Condition, Entry, Json, Listed, Span, Subfolder, Upload, UploadLimits, always
from storage.moving import Moving, SamePlace
from storage.open_upload import OpenUpload
from storage.origin import Origin
from storage.position import NewPosition, Position
from storage.positions import Positions, PositionSweep
from storage.removal import Place, Removal, Removed
from storage.rereading import Pace, Rereader
from storage.restoring import Restored
from storage.revisions import catalogue_fault, catalogue_path
from storage.store import Draft, Hash, Reader, Store
from storage.tail import After, Beginning, LastBytes, LastLines, Part, Piece, Reset, Tail, Tails
from storage.trash import Trash
from storage.upkeep import Damaged, Event, Failed, Hashed, Job, Upkeep
from storage.uploads import Uploads
from storage.verification import Finding, Verification

__all__ = [
    "HEAD_SIZE",
    "RESERVED_NAME",
    "ROOT",
    "After",
    "Arriving",
    "Beginning",
    "Catalogue",
    "Change",
    "ChangeKind",
    "Changes",
    "Comment",
    "CommentPage",
    "CommentSweep",
    "Comments",
    "Condition",
    "Damaged",
    "Detect",
    "DigestMismatch",
    "Draft",
    "DraftBusy",
    "Entry",
    "Event",
    "Extent",
    "Failed",
    "Finding",
    "Folder",
    "FolderInTheWay",
    "ForeignChanges",
    "Hash",
    "Hashed",
    "InvalidKey",
    "IsFolder",
    "Job",
    "Json",
    "Key",
    "KeyBusy",
    "LastBytes",
    "LastLines",
    "LengthMismatch",
    "Library",
    "Listed",
    "LocalStore",
    "MemoryStore",
    "Moving",
    "NewChange",
    "NewComment",
    "NewPosition",
    "NoSpace",
    "NotFound",
    "NotKept",
    "OffsetMismatch",
    "OpenUpload",
    "Origin",
    "OtherFileSystem",
    "Pace",
    "Part",
    "Piece",
    "Place",
    "Position",
    "PositionSweep",
    "Positions",
    "PreconditionFailed",
    "PromiseExceeded",
    "ReadOnlyStore",
    "Reader",
    "Received",
    "Removal",
    "Removed",
    "Rereader",
    "Reset",
    "Restored",
    "SamePlace",
    "Span",
    "StorageError",
    "Store",
    "StoreDamaged",
    "StoreDegraded",
    "StoreUnavailable",
    "Subfolder",
    "Tail",
    "Tails",
    "TooLarge",
    "TooManyComments",
    "TooManyUploads",
    "Trash",
    "UnderFile",
    "Upkeep",
    "Upload",
    "UploadExpired",
    "UploadIsComplete",
    "UploadLimits",
    "UploadTakenOver",
    "Uploads",
    "Verification",
    "always",
    "catalogue_fault",
    "catalogue_path",
    "folder_to_read",
    "folder_to_write",
    "key_to_read",
    "key_to_write",
    "name_of",
    "public_name",
]
