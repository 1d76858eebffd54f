// Serves a folder on 127.0.0.1, whole files and ranges of them: node examples/web/serve.mjs [--port PORT] [FOLDER]. Prints the address.
// What a page keeps belongs to its address, so the port is the same every time where nobody else has it; 0 is any that is free.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ options: { port: { type: "string", default: "8791" } }, allowPositionals: true });
const [folder = join("dist", "web")] = positionals;

const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

/** The file of an address within the folder, and its size; undefined where there is none. */
const fileOf = (url) => {
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

const server = createServer(({ method, url, headers }, response) => {
  const found = fileOf(url);
  if (found === undefined || !["GET", "HEAD"].includes(method)) {
    response.writeHead(found === undefined ? 404 : 405).end();
    return;
  }
  const { file, size } = found;
  const range = rangeOf(headers.range, size);
  const about = { "Content-Type": types[extname(file)] ?? "application/octet-stream", "Accept-Ranges": "bytes", "Cache-Control": "no-cache" };
  if (range !== undefined && !(range[0] <= range[1])) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  const [start, end] = range ?? [0, size - 1];
  const part = range === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` };
  response.writeHead(range === undefined ? 200 : 206, { ...about, ...part, "Content-Length": end - start + 1 });
  if (method === "HEAD" || size === 0) response.end();
  else
    createReadStream(file, { start, end })
      .on("error", () => response.destroy())
      .pipe(response);
});

const listen = (port) => server.listen(port, "127.0.0.1");
server.on("listening", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`);
  process.stderr.write("Ctrl-C ends it. A Chromium on Linux may need --enable-unsafe-webgpu for WebGPU.\n");
});
server.on("error", ({ code, message }) => {
  if (code === "EADDRINUSE" && Number(values.port) !== 0) {
    process.stderr.write(`Port ${values.port} is taken; here is another, under which a page does not see what it has kept under that one.\n`);
    listen(0);
    values.port = "0";
    return;
  }
  process.stderr.write(`${message}\n`);
  process.exit(1);
});
listen(Number(values.port));
