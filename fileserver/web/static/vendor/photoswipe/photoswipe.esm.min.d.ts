export { default } from "photoswipe";
export * from "photoswipe";
