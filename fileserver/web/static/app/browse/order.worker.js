/** Orders very many rows while the page goes on. */

import { orderOf } from "./order.js";

addEventListener("message", (event) => {
  const { id, columns, isDown } = event.data;
  const order = orderOf(columns, isDown);
  postMessage({ id, order }, { transfer: [order.buffer] });
});
