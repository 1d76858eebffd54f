/**
 * Workers that share no disk: the folders of their jobs are in a storage that speaks like S3. Whoever is killed, or loses its job to another, takes nothing
 * away from it, and every job ends with the bits of a run alone.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { openS3 } from "../../src/platform/node/s3.ts";
import { files } from "../../src/platform/node/files.ts";
import { storageFailure, type Storage } from "../../src/platform/storage.ts";
import { here } from "../../src/sweep/here.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import { readSweep } from "../../src/sweep/readSweep.ts";
import { runSweep } from "../../src/sweep/runSweep.ts";
import { advanceStored, openStorage } from "../../src/sweep/stored.ts";
import type { Sweep } from "../../src/sweep/sweep.ts";
import { pieceOf, work, type WorkOptions } from "../../src/sweep/work.ts";
import { cambium } from "../cli/command.ts";
import { left, right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { hasRedis, redisServer } from "../fixtures/redisServer.ts";
import { s3Server } from "../fixtures/s3Server.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { inDeno } from "../runtime.ts";
import { foundIn, jobFolders } from "./foundIn.ts";

if (!hasRedis) console.log("redis-server is not installed, so no workers share a queue and a storage");

const { dir, remove } = temporaryFolder("storage");
const at = (...path: readonly string[]): string => join(dir, ...path);

const server = await s3Server("lab");
const { endpoint } = server;
Object.assign(process.env, server.env);

const open = (prefix: string): Promise<Storage> => get(openStorage(`s3://lab/${prefix}`, { endpoint }));

/** A sweep of jobs with two tasks each, read from its file. */
const sweepOf = (out: string, seeds: readonly number[], rank = 2): Promise<Sweep> => {
  const methods = [{ name: "codyra", options: { steps: 3, batch: 4, rank }, folder: "job" }];
  const sweep = { version: 1, base: { model: "model", source: { folders: ["data/red", "data/dark"] } }, methods, seeds, out };
  writeFileSync(at(`${out}.json`), JSON.stringify(sweep));
  return get(readSweep(at(`${out}.json`)));
};

interface Head {
  readonly taker: string;
  readonly ended: boolean;
  readonly files: readonly { readonly path: string; readonly object: string }[];
}

const headOf = (job: string): Head | undefined => {
  const bytes = server.objects.get(`${job}/head.json`);
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Head);
};

const pathsOf = (job: string): readonly string[] => (headOf(job)?.files ?? []).map(({ path }) => path).sort();

/** The keys below a job that its head does not name. */
const unnamed = (job: string): readonly string[] => {
  const named = new Set(["head.json", ...(headOf(job)?.files ?? []).map(({ object }) => object)].map((key) => `${job}/${key}`));
  return [...server.objects.keys()].filter((key) => key.startsWith(`${job}/`) && !named.has(key));
};

const whole = ["answers.json", "job.json", "log.jsonl", "model", "report.html", "result.json"];

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
  for (const scratch of ["a", "b"]) mkdirSync(at(scratch));
  await get(runSweep(await sweepOf("alone", [0, 1])));
});

test.before.each(() => {
  server.trouble = () => false;
});

test.after(async () => {
  await server.close();
  remove();
});

test("an object is put where it is the one that was seen, whole or in parts, and read so", async () => {
  const storage = await get(openS3(10)("s3://lab//objects/", { endpoint }));
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  assert.is(storage.name, "s3://lab/objects");
  const first = await get(storage.put("one", text("first"), undefined));
  assert.ok(first !== undefined);
  assert.is(await get(storage.put("one", text("other"), undefined)), undefined);
  const second = await get(storage.put("one", text("second"), first));
  assert.is.not(second, first);
  assert.is(await get(storage.put("one", text("third"), first)), undefined);
  assert.is(await get(storage.put("none", text("third"), first)), undefined);
  assert.equal(await get(storage.get("one")), { bytes: text("second"), tag: second });
  assert.is(await get(storage.get("none")), undefined);
  for (const size of [0, 1, 10, 11, 20, 35]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i);
    await get(files.write(at("file"), [bytes]));
    await get(files.open(at("file"), (file) => storage.upload(`${size}`, file)));
    assert.equal((await get(storage.get(`${size}`)))?.bytes, bytes);
    if (size > 5) assert.equal((await get(storage.get(`${size}`, { from: 3, bytes: 2 })))?.bytes, bytes.subarray(3, 5));
  }
  assert.equal(await get(storage.list("")), ["0", "1", "10", "11", "20", "35", "one"]);
  assert.equal(await get(storage.list("1")), ["1", "10", "11"]);
  for (const key of await get(storage.list(""))) await get(storage.remove(key));
  assert.equal(await get(storage.list("")), []);
});

test("a sweep gathers what a worker with another disk has learned, though answers get lost", async () => {
  const [sweep, storage, queue] = [await sweepOf("out", [0, 1]), await open("plain"), here()];
  await get(queue.put(right(jobsOf(sweep)).map(pieceOf)));
  server.lost = 3;
  const [ended, worked] = await Promise.all([
    get(runSweep(sweep, { queue, storage })),
    get(work(queue, { until: "empty", carrying: { storage, scratch: at("a") } })),
  ]);
  assert.is(server.lost, 0);
  assert.equal(worked, { ended: ["job-seed-0", "job-seed-1"], failed: [] });
  assert.ok(ended.jobs.every(({ state }) => state === "ended"));
  assert.equal(jobFolders(at("out")), jobFolders(at("alone")));
  assert.equal(readdirSync(at("a")), []);
  for (const name of jobFolders(at("out"))) {
    assert.equal(readdirSync(at("out", name)).sort(), whole);
    assert.equal(readdirSync(at("out", name, "model")), ["progress.json"]);
    assert.equal(unnamed(`plain/${name}`), []);
  }
  const again = await get(runSweep(sweep, { queue, storage, models: true }));
  assert.ok(again.jobs.every(({ state }) => state === "ended"));
  for (const name of jobFolders(at("out"))) assert.equal(foundIn(at("out", name)), foundIn(at("alone", name)), name);
  // Nothing is read again, and the folder may be gone.
  server.came.splice(0);
  await get(runSweep({ ...sweep, out: at("elsewhere") }, { queue, storage, detach: true }));
  assert.ok(existsSync(at("elsewhere", "table.txt")));
  assert.not.ok(server.came.some((request) => request.includes("safetensors")));
});

test("the prefix of another sweep is refused before anything runs", async () => {
  const sweep = await sweepOf("other", [0], 3);
  const refused = describe(left(await runSweep(sweep, { queue: here(), storage: await open("plain"), detach: true })()));
  assert.match(refused, /another job was run there: method\.options\.rank is 2 there and 3 here/);
  const queue = here();
  await get(queue.put(right(jobsOf(sweep)).map(pieceOf)));
  assert.equal(await get(work(queue, { until: "empty", carrying: { storage: await open("plain"), scratch: at("a") } })), { ended: [], failed: ["job-seed-0"] });
  assert.match(describe(left(await runSweep(sweep, { storage: await open("plain") })())), /storage/);
});

/** Kills a worker in a process of its own when it sends a request; the request is never answered. */
const killedAt = async (file: string, when: (request: string) => boolean): Promise<void> => {
  const program = fileURLToPath(new URL(`./storage.child.${inDeno ? "ts" : "js"}`, import.meta.url));
  const args = inDeno ? ["run", "-A", "--no-check", "--node-modules-dir=manual", program] : [...process.execArgv, program];
  const child = spawn(process.execPath, [...args, file, endpoint, at("a")], { stdio: "ignore" });
  const ended = once(child, "exit");
  server.trouble = async (request) => {
    if (!when(request)) return false;
    process.kill(child.pid as number, "SIGKILL");
    await ended;
    return true;
  };
  await ended;
  server.trouble = () => false;
};

/** Takes the jobs of a sweep as another worker does, and gives the tasks that it learned. */
const goOn = async (sweep: Sweep, options: Pick<WorkOptions, "carrying">): Promise<readonly string[]> => {
  const learned: string[] = [];
  const queue = here();
  await get(queue.put(right(jobsOf(sweep)).map(pieceOf)));
  const watch: WorkOptions["watch"] = (event) => void (event.type === "training" && learned.push(event.task));
  assert.is((await get(work(queue, { until: "empty", watch, ...options }))).ended.length, 1);
  return learned;
};

test("of what is half put nothing is seen; behind its first task a job goes on where a killed worker was, with the bits of a run alone", async () => {
  const sweep = await sweepOf("killed", [0]);
  const [job, head] = ["sweep/job-seed-0", "PUT lab/sweep/job-seed-0/head.json"];
  const storage = await open("sweep");
  const uploaded = (path: string): boolean => [...server.objects.keys()].some((key) => key.startsWith(job) && key.endsWith(`/${path}`));
  await killedAt(at("killed.json"), (request) => request === head && uploaded("training.safetensors"));
  assert.ok(unnamed(job).length > 0);
  assert.equal(pathsOf(job), []);
  const { jobs } = await get(runSweep(sweep, { queue: here(), storage, detach: true }));
  assert.equal(jobs, [{ name: "job-seed-0", state: "open" }]);
  // The second is killed in its second task.
  await killedAt(at("killed.json"), (request) => request === head && pathsOf(job).includes("after-1/model.safetensors"));
  assert.equal(await goOn(sweep, { carrying: { storage, scratch: at("b") } }), ["dark"]);
  assert.ok(headOf(job)?.ended);
  assert.equal(unnamed(job), []);
  await get(runSweep(sweep, { queue: here(), storage, detach: true, models: true }));
  assert.equal(foundIn(at("killed", "job-seed-0")), foundIn(at("alone", "job-seed-0")));
});

test("a worker whose job another has taken gives up, and leaves the job to the other", async () => {
  const [one] = right(jobsOf(await sweepOf("taken", [0])));
  const storage = await open("taken");
  const head = "taken/job-seed-0/head.json";
  let heads = 0;
  let theirs: Uint8Array | undefined;
  server.trouble = (request) => {
    // The first takes the job; then a training, a task and a training are put.
    if (request === `PUT lab/${head}` && ++heads === 4) {
      theirs = new TextEncoder().encode(JSON.stringify({ ...headOf("taken/job-seed-0"), taker: "another" }));
      server.objects.set(head, theirs);
    }
    return false;
  };
  const failure = left(await advanceStored(one, { storage, scratch: at("b") }, {})());
  assert.equal(failure, { _tag: "FileUnwritable", path: "s3://lab/taken/job-seed-0", detail: "another worker has taken this job", held: true });
  assert.equal(server.objects.get(head), theirs);
  for (const { object } of headOf("taken/job-seed-0")?.files ?? []) assert.ok(server.objects.has(`taken/job-seed-0/${object}`));
  assert.ok(pathsOf("taken/job-seed-0").includes("after-1/model.safetensors"));
  assert.equal(readdirSync(at("b")), []);
});

test("a storage that goes away ends the worker and not the job; a damaged object or head is named", async () => {
  const sweep = await sweepOf("away", [0]);
  const [piece] = right(jobsOf(sweep)).map(pieceOf);
  const storage = await open("plain");
  const queue = here();
  await get(queue.put([piece]));
  const away: Storage = { ...storage, get: () => TE.left(storageFailure("nobody answers")) };
  assert.equal(left(await work(queue, { until: "empty", carrying: { storage: away, scratch: at("b") } })()), storageFailure("nobody answers"));
  assert.equal(await get(queue.standing([piece.id])), [{ state: "waiting" }]);
  const results = headOf("plain/job-seed-0")?.files.find(({ path }) => path === "result.json");
  const key = `plain/job-seed-0/${results?.object}`;
  server.objects.set(key, Uint8Array.from(server.objects.get(key) as Uint8Array).fill(32, 0, 1));
  /** What is said of the job, which fails alone. */
  const failed = async (): Promise<string> => {
    const { jobs } = await get(runSweep(sweep, { queue: here(), storage, detach: true }));
    assert.equal(
      jobs.map(({ state }) => state),
      ["failed"],
    );
    return jobs[0].detail ?? "";
  };
  assert.match(await failed(), new RegExp(`s3://lab/${key}.*its bytes are not those that were put there`));
  const outside = { path: "../x", bytes: 0, sha256: "", object: "x" };
  for (const [head, what] of [
    [{}, /"version" should be 1/],
    [{ version: 1, taker: "x", ended: true, files: [outside] }, /"files\[0\]\.path" should be a path within the folder and is "\.\.\/x"/],
  ] as const) {
    server.objects.set("plain/job-seed-0/head.json", new TextEncoder().encode(JSON.stringify(head)));
    const refused = await failed();
    assert.match(refused, /s3:\/\/lab\/plain\/job-seed-0\/head\.json/);
    assert.match(refused, what);
  }
});

test("what cannot be reached is told in a sentence without secrets", async () => {
  const told = async (url: string, options: object, env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const before = { ...process.env };
    Object.assign(process.env, env);
    const failure = describe(left(await openStorage(url, options)()));
    Object.assign(process.env, before);
    assert.not.match(failure, /the-secret|\n/);
    return failure;
  };
  const { host } = new URL(endpoint);
  assert.is(await told("nowhere", { endpoint }), "--storage: should be an address such as s3://BUCKET/PREFIX");
  assert.is(await told("s3://lab/x", { endpoint: "nowhere" }), "--s3-endpoint: should be an address such as https://HOST:9000");
  assert.is(await told("s3://other/x", { endpoint }), `--storage: s3://other/x/ at ${host}: there is no such bucket`);
  assert.is(
    await told("s3://lab/x", { endpoint }, { AWS_ACCESS_KEY_ID: "AKIAOTHER" }),
    `--storage: s3://lab/x/ at ${host}: the credentials are refused (InvalidAccessKeyId)`,
  );
  assert.is(
    await told("s3://lab/x", { endpoint: "http://user:the-secret@127.0.0.1:1" }),
    "--storage: s3://lab/x/ at 127.0.0.1:1: nobody answers (ECONNREFUSED)",
  );
  const flags = ["--storage", "s3://lab/x"];
  for (const [args, what] of [
    [["sweep", at("out.json"), ...flags], /--storage: has a meaning with --redis alone/],
    [["sweep", at("out.json"), "--models"], /--models: has a meaning with --storage alone/],
    [["worker", "--redis", "redis://127.0.0.1:1", "--s3-endpoint", endpoint], /--s3-endpoint: has a meaning with --storage alone/],
    [["worker", "--redis", "redis://127.0.0.1:1", "--storage", "s3://other/x", "--s3-endpoint", endpoint], /there is no such bucket/],
  ] as const) {
    const { code, stderr } = await cambium(args);
    assert.is(code, 1);
    assert.match(stderr, what);
  }
});

(hasRedis ? test : test.skip)("two workers with disks of their own take the jobs of a queue", async () => {
  const redis = await redisServer(at("redis"));
  await redis.start();
  try {
    await sweepOf("both", [0, 1]);
    const where = ["--redis", redis.url, "--storage", "s3://lab/both", "--s3-endpoint", endpoint];
    const put = await cambium(["sweep", at("both.json"), ...where, "--detach"]);
    assert.is(put.code, 0, put.stderr);
    const workers = ["a", "b"].map((scratch) => cambium(["worker", ...where, "--until-empty"], undefined, { env: { TMPDIR: at(scratch) } }));
    const ended = await cambium(["sweep", at("both.json"), ...where, "--models"]);
    assert.is(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^2 of 2 jobs have ended\.$/m);
    for (const { code, stderr } of await Promise.all(workers)) assert.is(code, 0, stderr);
    for (const name of jobFolders(at("alone"))) assert.equal(foundIn(at("both", name)), foundIn(at("alone", name)), name);
  } finally {
    await redis.stop();
  }
});

test.run();
