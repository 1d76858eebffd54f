/** Downloads from a hub: once, verified, gone on with where they broke off, and into the cache that Python's programs use. */
import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import type { Downloading, Repository, SnapshotOptions } from "../../src/platform/hub.ts";
import { nodeHub } from "../../src/platform/node/hub.ts";
import { left, right, temporaryFolder } from "../fixtures/datasets.ts";
import { inDeno } from "../runtime.ts";
import { digestOf, hubServer, type HubRepository } from "../fixtures/hubServer.ts";

const { dir, remove } = temporaryFolder("hub");

const [first, second, pull] = ["1", "2", "3"].map((digit) => digit.repeat(40));
const weights = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) >> 3);
const files = { "config.json": "{}", "model.safetensors": weights, "empty.txt": "", "deep/er/notes.txt": "notes", "pytorch_model.bin": new Uint8Array(5) };
const clip: HubRepository = {
  kind: "model",
  name: "org/clip",
  commits: { [first]: { ...files, "config.json": "old" }, [second]: files, [pull]: { "config.json": "pull" } },
  refs: { main: second, v1: first, "refs/pr/3": pull },
};
const pets: HubRepository = { kind: "dataset", name: "org/pets", commits: { [first]: { "train/0.tar": weights } }, refs: { main: first } };
const gated: HubRepository = { ...clip, name: "org/gated", gated: "hf_mine" };
const secret: HubRepository = { ...clip, name: "org/secret", secret: "hf_mine" };

const hub = await hubServer([clip, pets, gated, secret]);
test.after(async () => {
  await hub.close();
  remove();
});

/** Everything but what is Python's own. */
const wanted: SnapshotOptions["wanted"] = (paths) => E.right(paths.filter((path) => !path.endsWith(".bin")));

/** Everything is as before a test; its cache is empty. */
const fresh = (name: string) => {
  Object.assign(hub.trouble, { cuts: 0, cutAfter: 0, wrongByte: undefined, ignoresRange: false, busy: 0, slow: 0, size: undefined });
  hub.came.length = 0;
  const cache = join(dir, name.replace(/\W+/g, "-"), "hub");
  const environment = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HOME: dirname(cache) };
  const get = (repository: Repository, extra: Record<string, string> = {}, options: Partial<SnapshotOptions> = {}) =>
    nodeHub({ environment: { ...environment, ...extra }, pauses: [20, 20, 20], silence: 400 }).snapshot(repository, { wanted, ...options })();
  return { cache, get, environment, folder: join(cache, "models--org--clip"), model: { kind: "model", name: "org/clip" } as Repository };
};

/** A test with what it begins with. */
const hubTest = (name: string, run: (given: ReturnType<typeof fresh>) => Promise<void>): void => test(name, () => run(fresh(name)));

const blobsIn = (folder: string): readonly string[] => readdirSync(join(folder, "blobs")).sort();
const blobOf = (path: keyof typeof files): string => digestOf(path, files[path]);
const isWhole = (folder: string): void => {
  for (const [path, content] of Object.entries(files).filter(([name]) => !name.endsWith(".bin")))
    assert.ok(Buffer.from(content).equals(readFileSync(join(folder, path))), path);
};

hubTest("a first download has the layout of Python's cache, and what is not wanted stays away", async ({ get, folder, model, cache }) => {
  const seen: Downloading[] = [];
  const got = right(await get(model, {}, { watch: (event) => seen.push(event) }));
  assert.equal(got, { folder: join(folder, "snapshots", second), commit: second });
  isWhole(got.folder);
  assert.not.ok(existsSync(join(got.folder, "pytorch_model.bin")));
  assert.is(readFileSync(join(folder, "refs", "main"), "utf8"), second);
  assert.is(readlinkSync(join(got.folder, "model.safetensors")), join("..", "..", "blobs", blobOf("model.safetensors")));
  assert.is(readlinkSync(join(got.folder, "deep", "er", "notes.txt")), join("..", "..", "..", "..", "blobs", blobOf("deep/er/notes.txt")));
  assert.equal(blobsIn(folder), (["config.json", "model.safetensors", "empty.txt", "deep/er/notes.txt"] as const).map(blobOf).sort());
  const total = weights.length + "{}".length + "notes".length;
  assert.equal(seen[0], { type: "downloading", repository: "org/clip", bytes: 0, total, file: 1, files: 4 });
  assert.equal([seen.at(-1)!.bytes, seen.at(-1)!.file], [total, 4]);
  assert.ok(seen.every(({ bytes }, i) => i === 0 || bytes >= seen[i - 1].bytes));
  assert.equal(readdirSync(join(cache, ".locks", "models--org--clip")), []);
});

hubTest("a second one asks for no file, one of a commit not even what it is, and one of both takes what both have", async ({ get, model, folder }) => {
  right(await get({ ...model, revision: "v1" }));
  hub.came.length = 0;
  const again = right(await get({ ...model, revision: first }));
  assert.equal([hub.blobs(), hub.came.map(({ path }) => path)], [[], [`/api/models/org/clip/tree/${first}`, `/api/models/org/clip/tree/${first}`]]);
  assert.is(readFileSync(join(again.folder, "config.json"), "utf8"), "old");
  right(await get(model));
  assert.equal(
    hub.blobs().map(({ path }) => path),
    [`/org/clip/resolve/${second}/config.json`],
  );
  assert.is(readFileSync(join(folder, "refs", "v1"), "utf8"), first);
});

hubTest("a dataset, a pull request, and a folder that HF_HOME names", async ({ get, model, cache, environment }) => {
  const got = right(await get({ kind: "dataset", name: "org/pets" }));
  assert.is(got.folder, join(cache, "datasets--org--pets", "snapshots", first));
  assert.is(right(await get({ ...model, revision: "refs/pr/3" })).commit, pull);
  assert.is(readFileSync(join(cache, "models--org--clip", "refs", "refs", "pr", "3"), "utf8"), pull);
  const home = right(await get({ kind: "dataset", name: "org/pets" }, { HF_HUB_CACHE: "" }));
  assert.is(home.folder, join(environment.HF_HOME, "hub", "datasets--org--pets", "snapshots", first));
});

hubTest("a connection that breaks is gone on with from the byte where it broke", async ({ get, model }) => {
  Object.assign(hub.trouble, { cuts: 3, cutAfter: 20_000 });
  isWhole(right(await get(model)).folder);
  assert.equal(
    hub.came.filter(({ at }) => at === "store").map(({ range }) => range),
    [undefined, "bytes=20000-", "bytes=40000-", "bytes=60000-"],
  );
});

hubTest("a download that failed goes on in the next process; what it had is not asked for again", async ({ get, model, folder }) => {
  Object.assign(hub.trouble, { cuts: 1000, cutAfter: 0 });
  const failure = left(await get(model));
  assert.match(describe(failure), /^Cannot read org\/clip: .*127\.0\.0\.1.* cannot be reached \(the connection .*\), and the cache has no org\/clip@main$/);
  mkdirSync(join(folder, "blobs"), { recursive: true });
  writeFileSync(join(folder, "blobs", `${blobOf("model.safetensors")}.cambium.incomplete`), weights.subarray(0, 70_000));
  hub.trouble.cuts = 0;
  const seen: Downloading[] = [];
  isWhole(right(await get(model, {}, { watch: (event) => seen.push(event) })).folder);
  assert.is(hub.came.find(({ at, range }) => at === "store" && range !== undefined)!.range, "bytes=70000-");
  assert.is(seen[0].total, 30_000 + "{}".length + "notes".length);
});

hubTest("a server that cannot go on from a byte sends all anew", async ({ get, model, folder }) => {
  mkdirSync(join(folder, "blobs"), { recursive: true });
  writeFileSync(join(folder, "blobs", `${blobOf("model.safetensors")}.cambium.incomplete`), weights.subarray(0, 70_000));
  hub.trouble.ignoresRange = true;
  isWhole(right(await get(model)).folder);
});

hubTest("a wrong byte is refused, and nothing is kept of it", async ({ get, model, folder }) => {
  hub.trouble.wrongByte = "model.safetensors";
  assert.match(
    describe(left(await get(model))),
    /^org\/clip is damaged: model\.safetensors: its digest is [0-9a-f]{64} where [0-9a-f]{64} is listed; what was downloaded is not kept$/,
  );
  assert.not.ok(blobsIn(folder).some((name) => name.startsWith(blobOf("model.safetensors"))));
  hub.trouble.wrongByte = "deep/er/notes.txt";
  assert.match(describe(left(await get(model))), /notes\.txt: its digest is [0-9a-f]{40} where/);
});

hubTest("what an earlier process has left is anew where it was wrong", async ({ get, model, folder }) => {
  mkdirSync(join(folder, "blobs"), { recursive: true });
  writeFileSync(join(folder, "blobs", `${blobOf("model.safetensors")}.cambium.incomplete`), new Uint8Array(70_000));
  isWhole(right(await get(model)).folder);
  for (const size of [weights.length, weights.length + 9]) {
    rmSync(join(folder, "blobs"), { recursive: true });
    mkdirSync(join(folder, "blobs"));
    writeFileSync(join(folder, "blobs", `${blobOf("model.safetensors")}.cambium.incomplete`), new Uint8Array(size));
    isWhole(right(await get(model)).folder);
  }
});

hubTest("files that are gone or cut in the cache come again", async ({ get, model, folder }) => {
  const { folder: snapshot } = right(await get(model));
  writeFileSync(join(folder, "blobs", blobOf("model.safetensors")), "short");
  rmSync(join(folder, "blobs", blobOf("config.json")));
  rmSync(join(snapshot, "deep"), { recursive: true });
  hub.came.length = 0;
  isWhole(right(await get(model)).folder);
  assert.is(hub.came.filter(({ path }) => path.includes("resolve")).length, 2);
});

hubTest("a busy hub is asked again, and one that stays busy is said to be", async ({ get, model }) => {
  hub.trouble.busy = 3;
  isWhole(right(await get(model)).folder);
  hub.trouble.busy = 1000;
  assert.match(describe(left(await get({ kind: "dataset", name: "org/pets" }))), /answers 503; try again later$/);
});

hubTest("offline the cache alone is asked, and what it lacks is named", async ({ get, model, folder }) => {
  const offline = { HF_HUB_OFFLINE: "1" };
  assert.is(describe(left(await get(model, offline))), `Cannot read org/clip: HF_HUB_OFFLINE is set, and the cache ${folder} has no org/clip@main`);
  const online = right(await get(model));
  hub.came.length = 0;
  assert.equal(right(await get(model, offline)), online);
  assert.equal(right(await get({ ...model, revision: second }, offline)), online);
  assert.match(describe(left(await get({ ...model, revision: "v1" }, offline))), /has no org\/clip@v1$/);
  const choosy = { wanted: (paths: readonly string[]) => (paths.includes("tokenizer.json") ? E.right(paths) : E.left("has no tokenizer.json")) };
  assert.match(describe(left(await get(model, offline, choosy))), new RegExp(`HF_HUB_OFFLINE is set, and .*${second} has no tokenizer\\.json$`));
  assert.equal(hub.came, []);
});

hubTest("a hub whose address is not known is told in words", async ({ get, model }) => {
  const said = describe(left(await get(model, { HF_ENDPOINT: "http://nowhere.invalid" })));
  assert.is(said, "Cannot read org/clip: http://nowhere.invalid cannot be reached (no network, or no such address), and the cache has no org/clip@main");
});

hubTest("a hub that is not there is done without, where the cache has what is asked for", async ({ get, model }) => {
  const online = right(await get(model));
  const notes: string[] = [];
  const nowhere = { HF_ENDPOINT: "http://127.0.0.1:9" };
  assert.equal(right(await get(model, nowhere, { note: (line) => notes.push(line) })), online);
  assert.match(notes.join(), /^http:\/\/127\.0\.0\.1:9 cannot be reached \(.*\); org\/clip is taken from the cache, commit 2{40}$/);
});

hubTest("a token goes to the hub and to nobody else; who has none is told what to do", async ({ get, environment, model }) => {
  const repository = { ...model, name: "org/gated" };
  assert.is(
    describe(left(await get(repository))),
    `Cannot read org/gated: it is gated: ask for access at ${hub.endpoint}/org/gated and set HF_TOKEN to a token of yours`,
  );
  assert.match(describe(left(await get(repository, { HF_TOKEN: "hf_other" }))), /it is gated, and your token has no access: ask for it at/);
  hub.came.length = 0;
  isWhole(right(await get(repository, { HF_TOKEN: "hf_mine" })).folder);
  assert.ok(hub.came.every(({ at, authorization }) => authorization === (at === "hub" ? "Bearer hf_mine" : undefined)));
  const hidden = { ...model, name: "org/secret" };
  assert.match(describe(left(await get(hidden))), /has no such model, or it is private and needs HF_TOKEN$/);
  assert.match(
    describe(left(await get(hidden, { HF_TOKEN: "hf_other" }))),
    /or it is private and the token in HF_TOKEN \(or in HF_HOME\/token\) may not read it$/,
  );
  writeFileSync(join(environment.HF_HOME, "token"), "hf_mine\n");
  isWhole(right(await get(hidden)).folder);
});

hubTest("what is not there is said to be missing", async ({ get, model }) => {
  assert.is(describe(left(await get({ ...model, revision: "v9" }))), "Cannot read org/clip: it has no revision v9");
  assert.is(describe(left(await get({ ...model, revision: "4".repeat(40) }))), `Cannot read org/clip: it has no revision ${"4".repeat(40)}`);
  assert.match(describe(left(await get({ kind: "dataset", name: "org/none" }))), /^Cannot read org\/none: http.* has no such dataset, or/);
});

hubTest("a disk without room is told at once", async ({ get, model, cache }) => {
  hub.trouble.size = 2 ** 60;
  assert.match(
    describe(left(await get(model))),
    new RegExp(
      `^Cannot write ${join(cache, "models--org--clip")}: the disk is full \\(\\S+ GiB are needed and \\S+ GiB are free\\); make room, or name a folder on another disk`,
    ),
  );
  assert.equal(hub.blobs(), []);
});

hubTest("two at once download once", async ({ get, model }) => {
  hub.trouble.slow = 20;
  const notes: string[] = [];
  const both = await Promise.all([1, 2].map(() => get(model, {}, { note: (line) => notes.push(line) })));
  assert.equal(right(both[0]), right(both[1]));
  assert.is(hub.blobs().filter(({ at }) => at === "store").length, 1);
  assert.match(notes.join(), /^waits for another process that downloads org\/clip$/);
});

hubTest("what a process has downloaded that is killed, the next goes on with, though the lock is still there", async ({ get, model, folder, cache }) => {
  hub.trouble.slow = 60;
  const part = join(folder, "blobs", `${blobOf("model.safetensors")}.cambium.incomplete`);
  const file = fileURLToPath(new URL(`./hub.child.${inDeno ? "ts" : "js"}`, import.meta.url));
  const args = inDeno ? ["run", "-A", "--no-check", file] : [...process.execArgv, file];
  const child = spawn(process.execPath, [...args, hub.endpoint, cache], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  while ((existsSync(part) ? statSync(part).size : 0) < 30_000) await setTimeout(10);
  process.kill(child.pid as number, "SIGKILL");
  await ended;
  assert.equal(readdirSync(join(cache, ".locks", "models--org--clip")), [".lock"]);
  const had = statSync(part).size;
  assert.ok(had < weights.length);
  hub.trouble.slow = 0;
  isWhole(right(await get(model)).folder);
  assert.is(hub.came.filter(({ at }) => at === "store").at(-1)!.range, `bytes=${had}-`);
  assert.equal(readdirSync(join(cache, ".locks", "models--org--clip")), []);
});

hubTest("a request to stop ends a download, and what has come stays for the next", async ({ get, model, folder }) => {
  hub.trouble.slow = 20;
  const stop = new AbortController();
  const stopped = await get(model, {}, { signal: stop.signal, watch: ({ bytes }) => void (bytes > 30_000 && stop.abort()) });
  assert.equal(left(stopped), { _tag: "Interrupted" });
  assert.ok(blobsIn(folder).includes(`${blobOf("model.safetensors")}.cambium.incomplete`));
  hub.trouble.slow = 0;
  isWhole(right(await get(model)).folder);
});

hubTest("a cache that Python has written is read, also one whose blobs are shared", async ({ get, model, folder, cache }) => {
  const snapshot = join(folder, "snapshots", second);
  for (const path of Object.keys(files) as (keyof typeof files)[]) {
    const blob = join(folder, "blobs", blobOf(path));
    mkdirSync(dirname(blob), { recursive: true });
    mkdirSync(dirname(join(snapshot, path)), { recursive: true });
    writeFileSync(blob, files[path]);
    symlinkSync(join(...path.split("/").map(() => ".."), "..", "blobs", blobOf(path)), join(snapshot, path));
  }
  mkdirSync(join(folder, "refs"));
  writeFileSync(join(folder, "refs", "main"), second);
  mkdirSync(join(cache, "blobs", "ab"), { recursive: true });
  renameSync(join(folder, "blobs", blobOf("model.safetensors")), join(cache, "blobs", "ab", "abcd"));
  symlinkSync(join("..", "..", "blobs", "ab", "abcd"), join(folder, "blobs", blobOf("model.safetensors")));
  isWhole(right(await get(model, { HF_HUB_OFFLINE: "yes" })).folder);
  isWhole(right(await get(model)).folder);
  assert.equal(hub.blobs(), []);
  assert.ok(lstatSync(join(folder, "blobs", blobOf("model.safetensors"))).isSymbolicLink());
});

/** What is said where a server answers so, and how often it was asked. */
const answered = async (
  { get, model }: Pick<ReturnType<typeof fresh>, "get" | "model">,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  extra: Record<string, string> = {},
  options: Partial<SnapshotOptions> = {},
): Promise<{ readonly said: string; readonly asked: readonly IncomingMessage[]; readonly host: string }> => {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const said = describe(left(await get(model, { HF_ENDPOINT: `http://${host}`, ...extra }, options)));
  server.closeAllConnections();
  server.close();
  return { said, asked, host };
};

/** Answers what a revision is, and the files of its commit with this text. */
const listing = (text: string) => (request: IncomingMessage, response: ServerResponse) =>
  void response
    .writeHead(200, { "content-type": "application/json" })
    .end(request.url!.includes("/tree/") ? text : JSON.stringify({ sha: first, _id: "", id: "" }));

hubTest("a hub that stays silent is given up, before its answer and in the middle of it", async (given) => {
  for (const answer of [
    () => undefined,
    (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200, { "content-type": "application/json" }).write('{"sha":'),
  ]) {
    const { said, asked, host } = await answered(given, answer);
    assert.is(said, `Cannot read org/clip: http://${host} cannot be reached (nothing has come for 0.4 seconds), and the cache has no org/clip@main`);
    assert.is(asked.length, 1);
  }
});

hubTest("a download over which nothing comes is given up", async ({ get, model }) => {
  Object.assign(hub.trouble, { slow: 5_000 });
  const said = describe(left(await get(model)));
  assert.match(said, /cannot be reached \(nothing has come for 0\.4 seconds\), and the cache has no org\/clip@main$/);
});

hubTest("a request to stop ends what waits for a hub, however it is told", async (given) => {
  for (const stop of [new AbortController(), { signal: { aborted: false }, abort: () => undefined }]) {
    const silent = () => void globalThis.setTimeout(() => (stop instanceof AbortController ? stop.abort() : (stop.signal.aborted = true)), 50);
    assert.match((await answered(given, silent, {}, { signal: stop.signal })).said, /^Stopped on request/);
    const half = (_: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(200).write("{");
      silent();
    };
    if (!(stop instanceof AbortController)) stop.signal.aborted = false;
    assert.match((await answered(given, half, {}, { signal: stop.signal })).said, /^Stopped on request/);
  }
});

hubTest("who answers as no hub does is said to", async (given) => {
  const something = async (answer: (request: IncomingMessage, response: ServerResponse) => void, ending: string) => {
    const { said, asked, host } = await answered(given, answer);
    assert.is(said, `Cannot read org/clip: ${host} answers something else than a hub does: ${ending}`);
    return asked.length;
  };
  const text = (body: string) => (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200, { "content-type": "text/html" }).end(body);
  assert.is(await something(text("<!doctype html><p>Log in"), 'it is no JSON, and begins with "<!doctype html><p>Log in"'), 1);
  assert.is(await something(text('{"sha":"12'), 'it is no JSON, and begins with "{\\"sha\\":\\"12"'), 1);
  assert.is(await something(text("null"), "its JSON has other fields"), 1);
  for (const list of ["{}", "[null]"]) assert.is(await something(listing(list), "its JSON has other fields"), 2);
  assert.is(await something(listing('[{"type":"file"}]'), "its list has files without a path"), 2);
  const astray = "it leads to an address that is none of the web, or to itself";
  const to = (location: string) => (_: IncomingMessage, response: ServerResponse) => void response.writeHead(302, { location }).end();
  assert.is(await something(to("file:///etc/passwd"), astray), 1);
});

hubTest("a file whose size is no number of bytes is refused by name", async (given) => {
  for (const [size, said] of [
    ["-1", "-1"],
    ["1.5", "1.5"],
    ['"12"', '"12"'],
    ["null", "null"],
    ["1e400", "null"],
  ]) {
    const entry = `[{"type":"file","path":"config.json","oid":"${"a".repeat(40)}","size":${size}}]`;
    assert.is((await answered(given, listing(entry))).said, `Cannot read org/clip: its file config.json is listed with ${said}, which is no number of bytes`);
  }
});

hubTest("no message has the password of an address or a part of a token; the user of an address is told to the hub alone", async (given) => {
  const { get, model } = given;
  const at = new URL(hub.endpoint).host;
  isWhole(right(await get(model, { HF_ENDPOINT: `http://joe:s%40cret@${at}/` })).folder);
  assert.is(hub.came[0].authorization, `Basic ${Buffer.from("joe:s@cret").toString("base64")}`);
  assert.ok(hub.came.every(({ at: where, authorization }) => where === "hub" || authorization === undefined));
  for (const endpoint of ["http://joe:secret@127.0.0.1:9", "http://joe:secret@nowhere.invalid"]) {
    const said = describe(left(await get({ ...model, name: "org/none" }, { HF_ENDPOINT: endpoint })));
    assert.match(said, /^Cannot read org\/none: http:\/\/[\w.:]+ cannot be reached/);
  }
  for (const endpoint of ["joe:secret@127.0.0.1", "file:///secret", "http://joe:secret@127.0.0.1:99999", "secret"])
    assert.is(describe(left(await get(model, { HF_ENDPOINT: endpoint }))), "HF_ENDPOINT: is no address that begins with https:// or http://");
  for (const [name, token] of [
    ["HF_TOKEN", "hf_secret\nmore"],
    ["HF_TOKEN", "hf_€"],
    ["HUGGING_FACE_HUB_TOKEN", "hf secret"],
  ])
    assert.is(
      describe(left(await get(model, { [name]: token }))),
      `${name}: has characters that no token has, such as a blank, a line break or a letter with an accent`,
    );
});

hubTest("a cache that cannot be written to is said to be", async ({ get, model, cache, folder }) => {
  mkdirSync(cache, { recursive: true });
  writeFileSync(folder, "a file");
  assert.match(describe(left(await get(model))), new RegExp(`^Cannot write ${folder}: `));
});

test.run();
