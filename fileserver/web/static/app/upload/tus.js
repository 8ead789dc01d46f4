/** Resumable uploads by tus 1.0 (tus.io). */

import "../../vendor/tus-js-client/tus.min.js";

import { absolute, Offline, url } from "../core/api.js";
import { toldIn } from "./checksum.js";
import { problemOf } from "./faults.js";

/**
 * Begin an upload, or go on with that at the item's address; answers the SHA-256 that the server tells, in base64.
 *
 * @param {UploadItem} item
 * @param {File} file
 * @param {import("./send.js").Watch & {chunkSize: number}} watch
 * @returns {Promise<string | null>}
 */
export function sendByTus(item, file, { signal, onSent, onAddress, chunkSize }) {
  return new Promise((resolve, reject) => {
    const upload = new globalThis.tus.Upload(file, {
      endpoint: absolute(url("/uploads")),
      uploadUrl: item.address,
      metadata: { key: item.key, ...(item.answer === "replace" ? { replace: "true" } : {}) },
      chunkSize,
      retryDelays: null, // when to try again is decided for all uploads together
      storeFingerprintForResuming: false, // as is what to keep of them
      onUploadUrlAvailable: () => upload.url && upload.url !== item.address && onAddress(upload.url),
      onProgress: onSent,
      onSuccess: ({ lastResponse }) => resolve(toldIn(lastResponse.getHeader("Repr-Digest"))),
      onError: (error) => reject(errorOf(error)),
    });
    signal.addEventListener("abort", () => {
      upload.abort();
      reject(signal.reason);
    });
    if (signal.aborted) reject(signal.reason);
    else upload.start();
  });
}

/** @param {Error | import("tus-js-client").DetailedError} error */
function errorOf(error) {
  if (!("originalResponse" in error)) return error;
  const request = error.originalResponse?.getUnderlyingObject();
  return request?.status ? problemOf(request) : new Offline();
}
