"""Everything that can go wrong with a store, as classes that carry what a caller needs to explain it."""


class StorageError(Exception):
    """The parent of all errors of this package."""


class InvalidKey(StorageError):
    """The text cannot name a stored file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _KeyError(StorageError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class NotFound(_KeyError):
    """No file, or no folder, has this name."""


class UnderFile(NotFound):
    """No file has this name, nor can one: one of its folders is a file."""


class IsFolder(_KeyError):
    """The key names a folder where a file was meant."""


class FolderInTheWay(_KeyError):
    """The key cannot be created: a folder has its name, or a file has the name of one of its folders."""


class OtherFileSystem(_KeyError):
    """The key lies on a file system mounted inside the root, where a draft cannot be renamed to."""


class PreconditionFailed(_KeyError):
    """The condition of a write does not hold for what is stored now."""


class KeyBusy(_KeyError):
    """Another write of this key is being committed and did not end in time."""


class DigestMismatch(StorageError):
    """The bytes that arrived are not those that were promised."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithm)
        self.algorithm = algorithm


class TooLarge(StorageError):
    """More bytes arrived than the caller allows."""

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self.max_size = max_size


class PromiseExceeded(StorageError):
    """More bytes arrived than the upload was promised to have."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class OffsetMismatch(StorageError):
    """An append named another offset than the draft's size."""

    def __init__(self, expected: int, given: int) -> None:
        super().__init__(expected, given)
        self.expected = expected
        self.given = given


class DraftBusy(StorageError):
    """Another writer is appending to this draft."""


class NoSpace(StorageError):
    """The store has no room for the bytes."""


class ReadOnlyStore(StorageError):
    """The store was opened for reading alone."""


class StoreDamaged(StorageError):
    """A file holds fewer bytes than it did when it was opened."""


class StoreUnavailable(StorageError):
    """The medium below the store failed."""


class NotKept(StorageError):
    """The medium lost bytes that it had taken, as an fsync told: they are gone, whatever can still be read of them."""

    def __init__(self, reason: str, *, is_full: bool = False) -> None:
        super().__init__(reason)
        self.is_full = is_full


class StoreDegraded(StoreUnavailable):
    """The medium failed to keep what it had taken: nothing more is written until the store is opened anew."""


class UploadTakenOver(StorageError):
    """A newer request for the same upload has ended this one."""


class UploadExpired(_KeyError):
    """The upload was left alone for too long."""


class UploadIsComplete(_KeyError):
    """The upload is complete: it takes no more bytes."""


class LengthMismatch(StorageError):
    """The upload was promised another length, or already has more bytes than that."""


class TooManyComments(StorageError):
    """The file has as many comments as are allowed."""

    def __init__(self, max_comments: int) -> None:
        super().__init__(max_comments)
        self.max_comments = max_comments


class TooManyUploads(StorageError):
    """The owner has as many unfinished uploads as are allowed."""

    def __init__(self, max_uploads: int) -> None:
        super().__init__(max_uploads)
        self.max_uploads = max_uploads
