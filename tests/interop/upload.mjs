// One upload by tus-js-client, as told by the JSON in the first argument; what came of it is written as JSON.
//
//   file, input    what is sent, given to the client as a `file` stream, as a `buffer` or as a plain `stream`
//   options        the client's own, unchanged
//   urls           a file in which the client remembers its uploads, and looks for one of this file before it starts
//   stopAfter      abort once so many bytes were sent, and then, as `afterStop` says, `leave`, `resume` or `terminate`
//
// Answered: `ended` (success, error, left, terminated), `url`, `error`, `fields` of the last answer, and for each
// request that was answered its `method`, `status` and `offset`.
import { createReadStream, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";

import { FileUrlStorage, Upload } from "tus-js-client";

const { file, input, urls, stopAfter, afterStop, options } = JSON.parse(process.argv[2]);
const requests = [];
let error = null;
let fields = {};
let ended;

const inputs = {
  file: () => createReadStream(file),
  buffer: () => readFileSync(file),
  stream: () => createReadStream(file).pipe(new PassThrough()),
};

function remember(request, response) {
  const offset = response.getHeader("Upload-Offset") ?? null;
  requests.push({ method: request.getMethod(), status: response.getStatus(), offset });
  fields = response.getUnderlyingObject().headers;
}

// The client does not wait until an upload's parts are terminated.
function allTerminated(parts) {
  return new Promise((resolve) => {
    const look = () => {
      const gone = requests.filter(({ method }) => method === "DELETE").length;
      return gone < parts ? setTimeout(look, 10) : resolve("terminated");
    };
    look();
  });
}

async function stop(upload) {
  await upload.abort(afterStop === "terminate");
  if (afterStop === "leave") return "left";
  if (afterStop === "terminate") return allTerminated(options.parallelUploads ?? 1);
  return new Promise((resolve, reject) => {
    Object.assign(upload.options, { onProgress: null, onSuccess: () => resolve("success"), onError: reject });
    upload.start();
  });
}

function run() {
  return new Promise((resolve, reject) => {
    let isStopped = false;
    const upload = new Upload(inputs[input](), {
      ...options,
      ...(urls && { urlStorage: new FileUrlStorage(urls) }),
      onAfterResponse: remember,
      onError: reject,
      onSuccess: () => resolve([upload.url, "success"]),
      onProgress: (sent) => {
        if (isStopped || stopAfter === null || sent < stopAfter) return;
        isStopped = true;
        stop(upload).then((how) => resolve([upload.url, how]), reject);
      },
    });
    const earlier = urls ? upload.findPreviousUploads() : Promise.resolve([]);
    earlier.then(([found]) => {
      if (found) upload.resumeFromPreviousUpload(found);
      upload.start();
    }, reject);
  });
}

let url = null;
try {
  [url, ended] = await run();
} catch (failed) {
  ended = "error";
  error = String(failed);
}
// an aborted request, or a stream that was not read to its end, must not keep the process
process.stdout.write(JSON.stringify({ ended, url, error, fields, requests }), () => process.exit());
