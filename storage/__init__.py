"""Bytes by key, and what is known of them. Knows no HTTP."""

from storage.catalogue import Catalogue
from storage.errors import (
    DigestMismatch,
    DraftBusy,
    FolderInTheWay,
    InvalidKey,
    IsFolder,
    KeyBusy,
    NoSpace,
    NotFound,
    OffsetMismatch,
    OtherFileSystem,
    PreconditionFailed,
    ReadOnlyStore,
    StorageError,
    StoreDamaged,
    StoreUnavailable,
    TooLarge,
)
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
from storage.local_listing import BATCH as LIST_BATCH
from storage.memory import MemoryStore
from storage.model import Condition, Entry, Listed, Span, Subfolder, always
from storage.rereading import Pace, Rereader
from storage.store import Draft, Hash, Reader, Store
from storage.upkeep import Damaged, Event, Failed, Hashed, Job, Upkeep
from storage.verification import Finding, Verification

__all__ = [
    "HEAD_SIZE",
    "LIST_BATCH",
    "RESERVED_NAME",
    "ROOT",
    "Catalogue",
    "Condition",
    "Damaged",
    "Detect",
    "DigestMismatch",
    "Draft",
    "DraftBusy",
    "Entry",
    "Event",
    "Failed",
    "Finding",
    "Folder",
    "FolderInTheWay",
    "Hash",
    "Hashed",
    "InvalidKey",
    "IsFolder",
    "Job",
    "Key",
    "KeyBusy",
    "Library",
    "Listed",
    "LocalStore",
    "MemoryStore",
    "NoSpace",
    "NotFound",
    "OffsetMismatch",
    "OtherFileSystem",
    "Pace",
    "PreconditionFailed",
    "ReadOnlyStore",
    "Reader",
    "Received",
    "Rereader",
    "Span",
    "StorageError",
    "Store",
    "StoreDamaged",
    "StoreUnavailable",
    "Subfolder",
    "TooLarge",
    "Upkeep",
    "Verification",
    "always",
    "folder_to_read",
    "folder_to_write",
    "key_to_read",
    "key_to_write",
    "name_of",
]
