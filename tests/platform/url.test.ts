/** Files that a server has: by ranges, from servers that know none, hide sizes, answer with a page, or change a file meanwhile. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get, type Failure } from "../../src/failure.ts";
import { readArrays, writeArrays } from "../../src/formats/safetensors.ts";
import { locate } from "../../src/runs/locate.ts";
import { readModel, writeModel } from "../../src/model/model.ts";
import { filesOf } from "../../src/platform/web/files.ts";
import { left } from "../either.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { memoryFiles } from "../fixtures/memoryPlatform.ts";

const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
const contents = new Map<string, Uint8Array>([
  ["/large", large],
  ["/small", Uint8Array.of(1, 2, 3)],
  ["/empty", new Uint8Array()],
]);

/** What was asked for: method, path and range. */
const asked: string[] = [];
let version = 1;

/** Sends a part of a file, as a server does that knows ranges. */
const sendPart = (response: ServerResponse, bytes: Uint8Array, range: string, hidden: boolean): void => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range)!.map(Number);
  const shown = (value: string) => (hidden ? {} : { "content-range": `bytes ${value}/${bytes.length}` });
  if (from >= bytes.length) response.writeHead(416, shown("*")).end();
  else response.writeHead(206, { ...shown(`${from}-${to}`), etag: `"${version}"` }).end(bytes.subarray(from, to + 1));
};

const answer = ({ method, url, headers: { range } }: IncomingMessage, response: ServerResponse): void => {
  asked.push(`${method} ${url} ${range ?? "all"}`);
  const [, kind, path] = /^\/(\w+)(\/.*)$/.exec(url!)!;
  const bytes = contents.get(path);
  if (kind === "start") response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<!doctype html>");
  else if (bytes === undefined) response.writeHead(404).end("nothing");
  else if (method === "HEAD") response.writeHead(200, { "content-length": bytes.length }).end();
  else if (kind === "whole" || range === undefined) response.writeHead(200).end(bytes);
  // It sends the first bytes whatever is asked for, and says so; or half of what is asked for, and does not.
  else if (kind === "first") response.writeHead(206, { "content-range": `bytes 0-65535/${bytes.length}` }).end(bytes.subarray(0, 65_536));
  else if (kind === "short") response.writeHead(206).end(bytes.subarray(0, 32_768));
  else if (kind === "growing") sendPart(response, bytes.subarray(0, 200_000 + 10_000 * asked.length), range, false);
  else sendPart(response, bytes, range, kind === "hidden");
};

const server = createServer(answer);
let at = "";
const none = (): never => {
  throw new Error("nobody asks for the page's own storage");
};
const { files } = filesOf({ root: none, locks: none });

test.before(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.after(() => void server.close());
test.before.each(() => void asked.splice(0));

/** The bytes of a file from one place to another. */
const part = (path: string, from: number, to: number): TE.TaskEither<Failure, Uint8Array> =>
  files.open(path, (file) => {
    const into = new Uint8Array(to - from);
    return pipe(
      file.read(into, from),
      TE.map((n) => into.subarray(0, n)),
    );
  });

test("a large file is read by the parts that are asked for, a small one at once", async () => {
  const path = `${at}/ranges/large`;
  assert.equal(await get(part(path, 200_000, 200_010)), large.slice(200_000, 200_010));
  assert.equal(asked, ["GET /ranges/large bytes=0-65535", "GET /ranges/large bytes=200000-200009"]);
  assert.equal(await get(part(path, 299_990, 300_010)), large.slice(299_990));
  assert.equal(await get(part(path, 65_530, 65_540)), large.slice(65_530, 65_540));
  assert.equal(await get(files.read(path)), large);
  asked.splice(0);
  assert.equal(await get(files.read(`${at}/ranges/small`)), Uint8Array.of(1, 2, 3));
  assert.equal(asked, ["GET /ranges/small bytes=0-65535"]);
  assert.equal(await get(files.read(`${at}/ranges/empty`)), new Uint8Array());
});

test("a server without ranges sends a file once, and so does one that does not say what a range is a part of", async () => {
  const twice = files.open(`${at}/whole/large`, (file) =>
    pipe(
      file.read(new Uint8Array(9), 0),
      TE.chain(() => file.read(new Uint8Array(9), 299_995)),
    ),
  );
  assert.is(await get(twice), 5);
  assert.is(asked.length, 1);
  assert.equal(await get(files.read(`${at}/hidden/large`)), large);
  assert.ok(asked.includes("GET /hidden/large all"));
  assert.equal(await get(files.read(`${at}/short/large`)), large);
  assert.equal(await get(files.read(`${at}/hidden/small`)), Uint8Array.of(1, 2, 3));
  assert.equal(await get(files.read(`${at}/hidden/empty`)), new Uint8Array());
});

test("what is not there is told, also where a server sends its start page in its place", async () => {
  for (const [path, detail] of [
    [`${at}/ranges/nothing`, /its server says 404 Not Found$/],
    [`${at}/start/config.json`, /its server sends a web page in its place$/],
    ["http://127.0.0.1:9/config.json", /its server cannot be reached, or does not let this page read it/],
  ] as const) {
    const failure = left(await files.read(path)());
    assert.ok(failure._tag === "FileUnreadable" && failure.path === path);
    assert.match(describe(failure), detail);
    assert.not.ok(await files.exists(path)());
  }
  for (const path of ["/ranges/large", "/whole/large", "/ranges/small", "/start/index.html"]) assert.ok(await files.exists(at + path)(), path);
});

test("bytes from another place than the one that was asked for are not taken, nor those of a file of another size", async () => {
  assert.match(describe(left(await part(`${at}/first/large`, 100_000, 165_536)())), /sent bytes from 0 on where those from 100000 on were asked for$/);
  assert.match(describe(left(await part(`${at}/growing/large`, 100_000, 100_009)())), /it has changed while it was read$/);
});

test("a file that changes while it is read is not pieced together", async () => {
  const read = files.open(`${at}/ranges/large`, (file) => {
    version++;
    return file.read(new Uint8Array(9), 100_000);
  });
  assert.match(describe(left(await read())), /it has changed while it was read$/);
});

test("a path keeps its address where names were joined to it", async () => {
  assert.is(files.absolute("https:/host/models/clip"), "https://host/models/clip");
  assert.equal(await get(files.read(`${at.replace("//", "/")}/ranges/small`)), Uint8Array.of(1, 2, 3));
  const blob = URL.createObjectURL(new Blob(["text"]));
  assert.is(new TextDecoder().decode(await get(part(blob, 1, 3))), "ex");
});

test("arrays are read from a server as from a disk", async () => {
  const { files: memory } = memoryFiles();
  await get(writeArrays("/arrays", new Map([["a", Float32Array.of(1, 2, 3)]]), memory));
  contents.set("/arrays", await get(memory.read("/arrays")));
  assert.equal((await get(readArrays(`${at}/ranges/arrays`, files))).get("a"), Float32Array.of(1, 2, 3));
});

test("a model is located by its address, and read from there", async () => {
  const { files: memory, paths } = memoryFiles();
  const clip = await tinyClip();
  await get(writeModel("/clip", clip, { files: memory }));
  for (const path of paths()) if (path.startsWith("/clip/")) contents.set(path, await get(memory.read(path)));
  const address = `${at}/ranges/clip`;
  const { folder, title } = await get(locate("model", address, { files }));
  assert.equal([folder, title], [address, "clip"]);
  assert.equal((await get(readModel(folder, { files }))).weights, clip.weights);
});

test("nothing is written to a server, nor listed", async () => {
  const path = `${at}/ranges/new`;
  const writes: readonly TE.TaskEither<Failure, unknown>[] = [
    files.write(path, []),
    files.writeFolder(path, () => TE.right(0)),
    files.append(path),
    files.rename(`${at}/ranges/small`, path),
    files.remove(path),
    files.lock(path),
  ];
  for (const write of writes) {
    const failure = left(await write());
    assert.is(describe(failure), `Cannot write ${path}: what a server has is read and not written; name a path in the browser's own storage`);
  }
  assert.match(describe(left(await files.list(`${at}/ranges`)())), /a server does not say what stands in a folder/);
});

test.run();
