/** A server on 127.0.0.1 for pages of tests: files of a folder, whole or in ranges, and bundles of modules of this repository. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { bundled } from "./bundle.ts";

/** A server that answers. */
export interface Served {
  /** Its address, without a slash at its end. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** A page without anything; its icon is named, so that no browser asks for one. */
const blank = '<!doctype html><html lang="en"><title>Cambium</title><link rel="icon" href="data:,">';

/** The first byte and the one behind the last of `bytes=a-b`; undefined where no part is asked for. */
const partOf = (range: string | undefined, size: number): readonly [number, number] | undefined => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  return from === undefined ? undefined : [Number(from), to === "" ? size : Math.min(size, Number(to) + 1)];
};

const sendFile = async (path: string, range: string | undefined, head: boolean, response: ServerResponse): Promise<void> => {
  const { size } = await stat(path);
  const part = partOf(range, size);
  const [from, end] = part ?? [0, size];
  if (from > end || (part !== undefined && from >= size)) return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  response.writeHead(part === undefined ? 200 : 206, {
    "content-type": types[extname(path)] ?? "application/octet-stream",
    "content-length": end - from,
    "accept-ranges": "bytes",
    ...(part === undefined ? {} : { "content-range": `bytes ${from}-${end - 1}/${size}` }),
  });
  if (head || end === from) return void response.end();
  createReadStream(path, { start: from, end: end - 1 }).pipe(response);
};

const bundles = new Map<string, Promise<string>>();

/** The bundle of a module, made once. One that cannot be made throws: this tells more than an answer of 500, which an import hides. */
const bundle = (path: string): Promise<string> => {
  if (!bundles.has(path))
    bundles.set(
      path,
      bundled(path).catch((error: Error) => `throw new Error(${JSON.stringify(error.message)});`),
    );
  return bundles.get(path)!;
};

/** Serves a folder; `/modules/PATH.js` is the bundle of this repository's module `PATH.ts`, and `/` a page without anything where the folder has none. */
export const serve = (folder: string): Promise<Served> => {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://127.0.0.1").pathname));
    const [, module] = /^\/modules\/(.*)\.js$/.exec(path) ?? [];
    const send = (text: string, type: string): void => void response.writeHead(200, { "content-type": types[type] }).end(text);
    const answer = async (): Promise<void> => {
      if (module !== undefined) return send(await bundle(`${module}.ts`), ".js");
      if (path !== "/") return sendFile(join(folder, path), request.headers.range, request.method === "HEAD", response);
      await sendFile(join(folder, "index.html"), undefined, false, response).catch(() => send(blank, ".html"));
    };
    answer().catch((error: Error) => response.writeHead(404).end(error.message));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const close = (): Promise<void> =>
        new Promise((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close });
    });
  });
};
