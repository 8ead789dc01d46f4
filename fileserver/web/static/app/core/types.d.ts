/** What the modules share: the shapes of the server's answers, and of what rooms hand to each other. */

/** A file or folder as `GET /files/…/` tells of it; the key of a folder ends in `/`. */
type Row = {
  key: string;
  name: string;
  type: "file" | "folder";
  /** bytes; null for folders */
  size: number | null;
  /** RFC 3339, UTC */
  modified: string;
  media_type: string | null;
  etag: string | null;
  /** hexadecimal */
  sha256: string | null;
  href: string;
};

/** What the server put into the page, so that its first view needs no second request. */
type FirstView = {
  folder: string;
  entries: Row[];
  /** where the rest of the listing is */
  next: string | null;
  view: Row | null;
  search: string | null;
};

/** Where the page is: `view` is a name within `folder`. */
type Route = { folder: string; view: string | null; search: string | null; params: URLSearchParams };

/** Words for one and for many; `{count}` stands for the number. */
type Plural = { one: string; other: string };

/** One entry of a menu; null in a list of them is a line. */
type MenuItem = {
  label: string;
  icon?: string;
  run?: () => void;
  href?: string;
  download?: boolean | string;
  isDangerous?: boolean;
  isDisabled?: boolean;
  isChecked?: boolean;
  /** the keys that do the same, as they are shown */
  keys?: string;
};

/** What a viewer lends to the module that shows a file in it. */
type ViewContext = {
  siblings: () => Row[];
  go: (step: 1 | -1) => void;
  /** show another of the siblings */
  goTo: (row: Row) => void;
  close: () => void;
  /** a place in the header for buttons of this kind of file */
  actions: HTMLElement;
  params: URLSearchParams;
  setParam: (name: string, value: string | null) => void;
  /** aborted when the file is not shown any more */
  signal: AbortSignal;
};

/** A file that is shown; `keys` says whether it has used a key. */
type OpenView = {
  close: () => void;
  keys?: (event: KeyboardEvent) => boolean;
  /** Show another file of the same kind without being opened anew; false where that is not possible. */
  show?: (row: Row) => boolean;
  /** Whether a file that changes is shown as it is now, without being opened anew. */
  isCurrent?: () => boolean;
};
