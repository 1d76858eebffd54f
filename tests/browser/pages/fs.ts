/** `readFileSync` of tests that read fixtures, in a worker: from the server, at once. */

/** The bytes of a file of this repository, or its text. */
export const readFileSync = (path: string | URL, encoding?: "utf8"): Uint8Array | string => {
  const request = new XMLHttpRequest();
  request.open("GET", new URL(path, `${location.origin}/`), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${path}: ${request.status}`);
  const bytes = new Uint8Array(request.response);
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
};
