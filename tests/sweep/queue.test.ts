/**
 * A sweep over a queue: workers in processes of their own, one of them killed in mid-task, and Redis restarted meanwhile. Every job ends once, with the bits of a
 * run alone. Needs redis-server; in Deno there are fewer jobs and nobody is killed.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import { readSweep } from "../../src/sweep/readSweep.ts";
import { runSweep } from "../../src/sweep/runSweep.ts";
import { openQueue, pieceOf, work } from "../../src/sweep/work.ts";
import { left, right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { hasRedis, redisServer } from "../fixtures/redisServer.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { inDeno, run } from "../runtime.ts";
import { cambium, start } from "../cli/command.ts";
import { foundIn, jobFolders } from "./foundIn.ts";

if (!hasRedis) console.log("redis-server is not installed, so no sweep goes over a queue");
const redis = hasRedis ? test : test.skip;

const { dir, remove } = temporaryFolder("queue");
const at = (...path: readonly string[]): string => join(dir, ...path);

const { port, url, start: startRedis, stop: stopRedis } = await redisServer(at("redis"));

const sweepOf = (out: string, seeds: readonly number[]): object => ({
  version: 1,
  base: { model: "model", source: { folders: ["data/red", "data/dark"] } },
  methods: ["codyra", "keeplora"].map((name) => ({ name, options: { steps: 4, batch: 4 }, folder: name })),
  options: { rank: [2, 4] },
  seeds,
  out,
});

const write = (name: string, sweep: object): string => {
  writeFileSync(at(name), JSON.stringify(sweep));
  return at(name);
};

test.before(async () => {
  if (!hasRedis) return;
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
  await startRedis();
});

test.after(async () => {
  await stopRedis();
  remove();
});

/** Kills a worker as soon as a job of its has finished its first task. */
const killInMidTask = (out: string) => {
  let told = "";
  let killed: string | undefined;
  const worker = start(["worker", "--redis", url, "--until-empty"], {}, (printed) => (told = printed));
  const watching = (async () => {
    while (killed === undefined) {
      const name = [...told.matchAll(/^([\w=-]+):$/gm)].at(-1)?.[1];
      if (name !== undefined && existsSync(join(out, name, "after-1")) && !existsSync(join(out, name, "after-2"))) {
        worker.child.kill("SIGKILL");
        killed = name;
      }
      await setTimeout(2);
    }
  })();
  return worker.ended.then(async ({ signal }) => {
    await watching;
    assert.is(signal, "SIGKILL");
    return killed as string;
  });
};

redis("a worker that is killed and a server that is restarted lose nothing: every job ends once, with the bits of a run alone", async () => {
  const seeds = inDeno ? [0] : [0, 1, 2, 3, 4, 5];
  const file = write("sweep.json", sweepOf("out", seeds));
  const put = await cambium(["sweep", file, "--redis", url, "--detach", "--json"]);
  assert.is(put.code, 0, put.stderr);
  const { jobs } = JSON.parse(put.stdout) as { readonly jobs: readonly { readonly state: string }[] };
  assert.is(jobs.length, 4 * seeds.length);
  const victim = inDeno ? undefined : killInMidTask(at("out"));
  const workers = [1, 2].map(() => cambium(["worker", "--redis", url, "--until-empty", "--json"]));
  const waiting = cambium(["sweep", file, "--redis", url]);
  const killed = await victim;
  while (jobFolders(at("out")).length < 2) await setTimeout(20);
  await stopRedis();
  await setTimeout(500);
  await startRedis();
  // The jobs run alone meanwhile.
  const alone = await get(runSweep(await get(readSweep(write("alone.json", sweepOf("alone", seeds))))));
  assert.ok(alone.jobs.every(({ state }) => state === "ended"));
  const ended = await waiting;
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, new RegExp(`^${jobs.length} of ${jobs.length} jobs have ended\\.$`, "m"));
  assert.match(ended.stdout, inDeno ? /^CoDyRA rank=2 /m : /^CoDyRA rank=2 .* ± /m);
  const told = (await Promise.all(workers)).map(({ code, stderr }) => {
    assert.is(code, 0, stderr);
    assert.match(stderr, /is away \(.*\); waiting for it\n[\s\S]*is back\n/);
    return stderr;
  });
  // The job of the one that was killed went on behind its first task.
  if (killed !== undefined) {
    const again = told.flatMap((stderr) => stderr.split(/^(?=[\w=-]+:$)/m)).filter((part) => part.startsWith(`${killed}:\n`));
    assert.ok(again.length > 0);
    assert.not.match(again.join(""), /learn red/);
    assert.match(again.join(""), /learn dark/);
  }
  assert.equal(jobFolders(at("out")), jobFolders(at("alone")));
  assert.is(jobFolders(at("out")).length, jobs.length);
  for (const name of jobFolders(at("out"))) {
    assert.equal(readdirSync(at("out", name)).sort(), ["answers.json", "job.json", "log.jsonl", "model", "report.html", "result.json"]);
    assert.equal(foundIn(at("out", name)), foundIn(at("alone", name)), name);
  }
});

redis("jobs that are put again are the same jobs; those that a queue has lost, and those that have failed, are put anew", async () => {
  const sweep = await get(readSweep(write("again.json", sweepOf("again", [0]))));
  const pieces = right(jobsOf(sweep)).map(pieceOf);
  const queue = await get(openQueue(url, { name: "again" }));
  const states = async (): Promise<string> => (await get(queue.standing(pieces.map(({ id }) => id)))).map(({ state }) => state).join(" ");
  try {
    assert.is(await states(), "unknown unknown unknown unknown");
    for (let i = 0; i < 2; i++) await get(queue.put(pieces));
    assert.is(await states(), "waiting waiting waiting waiting");
    const taken: string[] = [];
    const take = (verdict: (n: number) => { readonly kind: "done" | "stopped" } | { readonly kind: "failed"; readonly detail: string }) =>
      queue.take(
        ({ id }) =>
          async () =>
            verdict(taken.push(id)),
        { until: "empty" },
      )();
    right(await take((n) => (n === 1 ? { kind: "stopped" } : { kind: "done" })));
    assert.is(await states(), "waiting waiting waiting waiting");
    right(await take((n) => (n === 3 ? { kind: "failed", detail: "it cannot be" } : { kind: "done" })));
    assert.equal(taken.length, 5);
    assert.equal([...new Set(taken)].sort(), pieces.map(({ id }) => id).sort());
    const standing = await get(queue.standing(pieces.map(({ id }) => id)));
    assert.equal(standing.filter(({ state }) => state === "done").length, 3);
    assert.equal(
      standing.find(({ state }) => state === "failed"),
      { state: "failed", detail: "it cannot be" },
    );
    await get(queue.put(pieces.filter((_, i) => standing[i].state === "failed")));
    assert.match(await states(), /failed/);
    await get(
      queue.put(
        pieces.filter((_, i) => standing[i].state === "failed"),
        { again: true },
      ),
    );
    assert.match(await states(), /waiting/);
  } finally {
    await queue.close();
  }
});

redis("a worker that is stopped gives its job back; what a queue has lost is put again by the sweep that waits for it", async () => {
  const file = write("stop.json", {
    ...sweepOf("stop", [0]),
    methods: [{ name: "codyra", options: { steps: 60, batch: 4 }, folder: "" }],
    options: { rank: [2] },
  });
  const on = ["--redis", url, "--name", "stop"];
  assert.is((await cambium(["sweep", file, ...on, "--detach"])).code, 0);
  let asked = false;
  const stopped = await cambium(["worker", ...on], (printed, send) => {
    if (asked || !printed.includes("learn red")) return;
    asked = true;
    send("SIGINT");
  });
  assert.is(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stdout, /^0 jobs have ended here\.$/m);
  const detached = JSON.parse((await cambium(["sweep", file, ...on, "--detach", "--json"])).stdout) as { readonly jobs: unknown };
  assert.equal(detached.jobs, [{ name: "rank=2-seed-0", state: "open" }]);
  let flushed: Promise<unknown> | undefined;
  const waiting = cambium(["sweep", file, ...on], (printed) => {
    if (printed.includes("0 of 1 jobs")) flushed ??= run("redis-cli", ["-p", `${port}`, "flushall"]);
  });
  while (flushed === undefined) await setTimeout(20);
  await flushed;
  const worker = await cambium(["worker", ...on, "--once"]);
  assert.match(worker.stdout, /^1 job has ended here\.$/m, worker.stderr);
  assert.match((await waiting).stdout, /^1 of 1 jobs has ended\.$/m);
});

redis("what is no job fails; a worker that is asked to stop gives its job back; an address that is none is refused in words", async () => {
  const queue = await get(openQueue(url, { name: "words" }));
  try {
    await get(queue.put([{ id: "nonsense", data: { name: "nonsense", job: { seed: -1 } } }]));
    assert.equal(await get(work(queue, { until: "empty" })), { ended: [], failed: ["nonsense"] });
    const [standing] = await get(queue.standing(["nonsense"]));
    assert.match(JSON.stringify(standing), /"failed","detail":"it is no job: /);
  } finally {
    await queue.close();
  }
  assert.match(JSON.stringify(left(await openQueue("localhost")())), /should be an address such as redis:/);
  assert.match(JSON.stringify(left(await openQueue(`${url}/mine`)())), /should end with the number of a database, as .*, not \/mine/);
});

redis("a database that is not there, and a password that is refused, are failures that hold no password", async () => {
  const refused = async (address: string): Promise<string> => describe(left(await openQueue(address)()));
  assert.is(await refused(`${url}/99`), `--redis: ${url} has no database 99`);
  await (await get(openQueue(`${url}/3`))).close();
  const set = (word: string) => run("redis-cli", ["-p", `${port}`, ...(word === "" ? ["-a", "right"] : []), "config", "set", "requirepass", word]);
  await set("right");
  try {
    assert.is(await refused(url.replace("//", "//:wrong@")), `--redis: ${url} refuses the user or the password of this address`);
    assert.is(await refused(url), `--redis: ${url} asks for a password, as in redis://:PASSWORD@HOST:6379`);
    await (await get(openQueue(url.replace("//", "//:right@")))).close();
  } finally {
    await set("");
  }
});

redis("a worker whose job fails exits with 1, and takes the others", async () => {
  const file = write("fails.json", {
    ...sweepOf("fails", [0]),
    methods: [1e30, 1e-4].map((lr, i) => ({ name: "codyra", options: { steps: 4, batch: 4, lr }, folder: `${i}` })),
    options: { rank: [2] },
  });
  const on = ["--redis", url, "--name", "fails"];
  assert.is((await cambium(["sweep", file, ...on, "--detach"])).code, 0);
  const first = await cambium(["worker", ...on, "--once"]);
  assert.is(first.code, 1, first.stderr);
  assert.match(first.stdout, /^0 jobs have ended here, 1 failed: 0-rank=2-seed-0\.$/m);
  assert.is((await cambium(["worker", ...on, "--until-empty"])).code, 0);
  assert.is((await cambium(["sweep", file, ...on, "--detach"])).code, 1);
});

test.run();
