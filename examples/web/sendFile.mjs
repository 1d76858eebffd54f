// Answers a request with a file of a folder, whole or a range of it.
import { createReadStream, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";

const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** The file of an address within a folder, and its size; undefined where there is none. */
const fileOf = (folder, url) => {
  try {
    const { pathname } = new URL(url, "http://localhost");
    // No path of a URL goes above its root, and a backslash is none of its separators.
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    const file = pathname.endsWith("/") ? join(path, "index.html") : path;
    const found = statSync(file);
    return found.isFile() && !file.includes("\0") ? { file, size: found.size } : undefined;
  } catch {
    return undefined;
  }
};

/** The first and the last byte of a range that is asked for; undefined where none is. */
const rangeOf = (header, size) => {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === undefined || (from === "" && to === "")) return undefined;
  if (from === "") return [Math.max(0, size - Number(to)), size - 1];
  return [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
};

/** Sends what a request asks for of a folder. Gives false, and sends nothing, where the folder has no such file. */
export const sendFile = (folder, { method, url, headers }, response) => {
  const found = fileOf(folder, url);
  if (found === undefined) return false;
  const { file, size } = found;
  const range = rangeOf(headers.range, size);
  const about = { "Content-Type": types[extname(file)] ?? "application/octet-stream", "Accept-Ranges": "bytes", "Cache-Control": "no-cache" };
  if (!["GET", "HEAD"].includes(method)) {
    response.writeHead(405).end();
    return true;
  }
  if (range !== undefined && !(range[0] <= range[1])) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return true;
  }
  const [start, end] = range ?? [0, size - 1];
  const part = range === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, { ...about, ...part, "Content-Length": end - start + 1 });
  if (method === "HEAD" || size === 0) response.end();
  else
    createReadStream(file, { start, end })
      .on("error", () => response.destroy())
      .pipe(response);
  return true;
};
