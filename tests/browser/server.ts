/** A server on 127.0.0.1 for pages of tests: files of a folder, whole or in ranges, and bundles of modules of this repository. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { normalize, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { bundled } from "./bundle.ts";

/** A server that answers. */
export interface Served {
  /** Its address, without a slash at its end. */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** What the page's own server sends files with. */
const { sendFile } = (await import(pathToFileURL(resolve("examples", "web", "sendFile.mjs")).href)) as {
  readonly sendFile: (folder: string, request: IncomingMessage, response: ServerResponse) => boolean;
};

/** A page without anything; its icon is named, so that no browser asks for one. */
const blank = '<!doctype html><html lang="en"><title>Cambium</title><link rel="icon" href="data:,">';

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
    const send = (text: string, type: string): void => void response.writeHead(200, { "content-type": `text/${type}; charset=utf-8` }).end(text);
    if (module !== undefined) void bundle(`${module}.ts`).then((text) => send(text, "javascript"));
    else if (sendFile(folder, request, response)) return;
    else if (path === "/") send(blank, "html");
    else response.writeHead(404).end();
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
