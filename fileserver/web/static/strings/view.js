export default {
  "back": "Back",
  "previous": "Previous",
  "next": "Next",
  "position": "{index} of {count}",
  "download": "Download",
  "details": "Details",
  "more": "More",
  "tools": "File actions",
  "tryAgain": "Try again",
  "cannotShow": "This file cannot be shown",
  "gone": "This file is not here any more",
  "goneBody": "It was deleted or moved.",
  "changed": "{name} has changed.",
  "showNew": "Show the new version",
  "other": "No preview",
  "otherBody": "{what} files cannot be shown here. Download it to open it with a program of yours.",
  "otherUnknown": "Files of this kind cannot be shown here. Download it to open it with a program of yours.",
  "openAsText": "Show as text",
  "picture": {
    "failed": "This picture cannot be shown",
    "failedBody": "It may be damaged, or in a format that this browser does not know.",
    "zoomIn": "Zoom in",
    "zoomOut": "Zoom out",
    "rotate": "Rotate"
  },
  "pdf": {
    "loading": "Loading {name}: {done} of {total}",
    "open": "Open in a new tab",
    "noViewer": "This browser shows no PDF inside a page",
    "noViewerBody": "Open it in a tab of its own, or download it.",
    "tooLarge": "This PDF is large",
    "tooLargeBody": "Documents of more than {most} are not loaded into the page. Download it to read it."
  },
  "text": {
    "label": "Text of {name}",
    "empty": "This file is empty",
    "wrap": "Wrap lines",
    "pretty": "Indent",
    "follow": "Follow",
    "shown": "The first {shown} of {total}",
    "more": "Show more",
    "changed": "This file has changed since it was opened",
    "showNew": "Show the new version"
  },
  "log": {
    "label": "Last lines of {name}",
    "filter": "Filter lines",
    "live": "Live",
    "away": "Connecting again",
    "newer": { "one": "{count} new line", "other": "{count} new lines" },
    "newest": "Go to the newest",
    "waiting": "Waiting for the first line",
    "none": "No line has these words",
    "truncated": "The file was cut off here and begins anew",
    "rotated": "A new file begins here"
  }
};
