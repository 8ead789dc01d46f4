/**
 * Scrolling past the tallest element a browser can lay out.
 *
 * A million rows are taller than that (33 million pixels in Chromium and Safari, 17.9 million in Firefox). The scroll
 * bar then stands for more than it can show: small movements of it move the content by as much, as a wheel or a finger
 * expects, and large ones (the bar is dragged) move it in proportion.
 */

const TALLEST = 6_000_000; // pixels: a third of what Firefox can, for pages that are zoomed to 300 %

/**
 * @typedef {object} Scale
 * @property {number} bar how far the scroll bar goes (pixels)
 * @property {number} content how far the content goes (pixels)
 * @property {number} space how tall the element in the scroller has to be (pixels)
 */

/** @param {number} height of the content @param {number} view height of what is seen of it @returns {Scale} */
export function scaleOf(height, view) {
  const space = Math.min(Math.max(height, view), TALLEST);
  return { bar: space - view, content: Math.max(0, height - view), space };
}

/** Where the bar belongs for a place in the content. @param {Scale} scale @param {number} top */
export function barAt({ bar, content }, top) {
  return content > bar ? (top / content) * bar : top;
}

/**
 * The place in the content after the bar has moved.
 *
 * @param {Scale} scale
 * @param {{top: number, bar: number}} before
 * @param {number} bar where it is now
 * @param {number} view height of what is seen
 */
export function topAfter(scale, before, bar, view) {
  if (scale.content <= scale.bar) return clamp(bar, scale.content);
  const moved = bar - before.bar;
  return clamp(Math.abs(moved) < view ? before.top + moved : (bar / scale.bar) * scale.content, scale.content);
}

/** @param {number} value @param {number} most */
function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}
