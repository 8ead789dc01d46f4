export default {
  "root": "Files",
  "failed": "The server answered {status}.",
  "offline": "The server cannot be reached. Check the connection and try again.",
  "close": "Close",
  "cancel": "Cancel",
  "dismiss": "Dismiss",
  "newVersion": "There is a new version of this page.",
  "reload": "Reload",
  "notFound": "“{name}” is not here any more."
};
