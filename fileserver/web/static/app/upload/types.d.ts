/** What is being uploaded, and what browsers have that TypeScript does not know yet. */

/**
 * - `waiting` for its turn
 * - `sending`
 * - `resting` until it is tried again
 * - `paused` by a person
 * - `checking` whether what has its name already is the same
 * - `asking` what to do about a name that is taken
 * - `lost`: of an earlier visit, and the browser does not hand out the file any more
 * - `failed`, `skipped`, `done`: the end
 */
type UploadState =
  "waiting" | "sending" | "resting" | "paused" | "checking" | "asking" | "lost" | "failed" | "skipped" | "done";

/** What to do with a name that is taken. */
type UploadAnswer = "replace" | "keep" | "skip";

/** The files that somebody added at once: a question about one of them may be answered for all. */
type UploadBatch = { answer: UploadAnswer | null; count: number };

/** A file on the person's side; a path that ends in `/` is a folder that has nothing in it. */
type FoundFile = { path: string; file: File | null; handle: FileSystemFileHandle | null; fault?: string };

type UploadItem = {
  id: string;
  /** what it is to be called; ends in `/` for a folder */
  key: string;
  /** what it is called on the person's side */
  name: string;
  /** the folder that it was added to */
  folder: string;
  size: number;
  /** ms since 1970, as the person's system says */
  modified: number;
  file: File | null;
  handle: FileSystemFileHandle | null;
  /** of the resumable upload at the server, once there is one */
  address: string | null;
  answer: UploadAnswer | null;
  batch: UploadBatch;
  state: UploadState;
  /** bytes */
  sent: number;
  /** what to tell of an item that rests or failed */
  fault: string;
  /** how often in a row nothing came of it */
  attempts: number;
  /** whether the bytes that were stored are known to be those that were read here */
  isVerified: boolean;
  /** ends what goes on with it: a request, or a rest */
  controller: AbortController | null;
};

/** What is kept of an item for a later visit. */
type KeptUpload = Pick<
  UploadItem,
  "id" | "key" | "name" | "folder" | "size" | "modified" | "handle" | "address" | "answer"
> & { page: string };

/** One thing that was dropped, taken out of the event while that still allows it. */
type DroppedRoot = {
  entry: FileSystemEntry | null;
  handle: Promise<FileSystemHandle | null> | null;
  file: File | null;
};

interface DataTransferItem {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

interface FileSystemHandle {
  queryPermission?: () => Promise<PermissionState>;
  requestPermission?: () => Promise<PermissionState>;
}

interface Window {
  showOpenFilePicker?: (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?: () => Promise<FileSystemDirectoryHandle>;
}

declare var tus: typeof import("tus-js-client");
