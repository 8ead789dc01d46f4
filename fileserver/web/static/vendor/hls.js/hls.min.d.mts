export { default } from "hls.js";
export * from "hls.js";
