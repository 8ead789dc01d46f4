// A script, not a module: importing it makes the global `tus`.
declare global {
  var tus: typeof import("tus-js-client");
}
export * from "tus-js-client";
