/** A run is kept while it goes on, and goes on after what ended it: `cambium resume`, `--model RUN`, and the folder of a run. */
import {
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { readLearner } from "../../src/runs/checkpoint.ts";
import type { RunResult } from "../../src/report/result.ts";
import { parseAnswers, type DatasetAnswers } from "../../src/report/runReport.ts";
import { decodeRunResult } from "../../src/report/resultCodec.ts";
import { right, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("resume");
const at = (...path: readonly string[]): string => join(dir, ...path);
const data = (...names: readonly string[]): string => names.map((name) => at("data", name)).join(",");

const flags = (out: string, more: Readonly<Record<string, string>> = {}): readonly string[] => [
  "run",
  ...Object.entries({
    model: at("model"),
    data: data("red", "dark", "blue"),
    probe: data("grey"),
    method: "keeplora",
    out: at(out),
    steps: "4",
    batch: "4",
    rank: "2",
    ...more,
  }).flatMap(([name, value]) => [`--${name}`, value]),
];

const resultOf = (out: string): RunResult => right(decodeRunResult("result.json")(JSON.parse(readFileSync(at(out, "result.json"), "utf8"))));
const bits = (out: string): string => readFileSync(at(out, "model", "model.safetensors")).toString("base64");
const answersOf = (out: string): readonly DatasetAnswers[] => right(parseAnswers("answers.json")(readFileSync(at(out, "answers.json"), "utf8")));
const linux = process.platform === "linux" ? test : test.skip;

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], blue: [120, 180], grey: [100, 200], green: [90, 90] });
  const ended = await cambium(flags("whole"));
  assert.is(ended.code, 0, ended.stderr);
});

test.after(remove);

for (const signal of ["SIGHUP", "SIGTERM"] as const) {
  linux(`after ${signal} a run goes on to the same bits, table and log`, async () => {
    const out = `stopped-${signal}`;
    let sent = false;
    const stopped = await cambium(flags(out, { steps: "4" }), (printed, send) => {
      if (sent || (printed.match(/evaluate: 4 in/g) ?? []).length < 2) return;
      sent = true;
      send(signal);
    });
    if (stopped.code !== 0) {
      assert.is(stopped.code, 130, stopped.stderr);
      assert.match(stopped.stdout, /Stopped on request: \d of 3 tasks .*cambium resume .* goes on\./);
    }
    const ended = await cambium(["resume", at(out)]);
    assert.is(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /Method +Learned +(Gain kept +)?Transfer/);
    assert.is(bits(out), bits("whole"));
    const { seconds: _, options: a, ...result } = resultOf(out);
    const { seconds: __, options: b, ...whole } = resultOf("whole");
    assert.equal(result, whole);
    assert.equal(a, b);
    assert.is(result.probes.length, 1);
    assert.equal(answersOf(out), answersOf("whole"));
    assert.equal(readdirSync(at(out)).sort(), ["answers.json", "job.json", "log.jsonl", "model", "report.html", "result.json"]);
  });
}

test("a run that has ended is told again", async () => {
  const before = bits("whole");
  const ended = await cambium(["resume", at("whole")]);
  assert.is(ended.code, 0, ended.stderr);
  assert.not.match(ended.stderr, /learn /);
  assert.is(bits("whole"), before);
});

test("probes and answers stand beside the result", () => {
  const { datasets, matrix, probes, images, classes, chance, options } = resultOf("whole");
  assert.equal(options.probes, [at("data", "grey")]);
  assert.equal(
    [images, classes, chance],
    [
      [4, 4, 4],
      [2, 2, 2],
      [50, 50, 50],
    ],
  );
  assert.equal(
    probes.map(({ zeroShot, after, ...facts }) => [facts, typeof zeroShot, after.map((x) => typeof x)]),
    [[{ name: "grey", classes: 2, images: 4, chance: 50 }, "number", ["number", "number", "number"]]],
  );
  const share = (answers: DatasetAnswers, at: "learned" | "last"): number =>
    (100 * answers[at].filter((answer, i) => answer === answers.labels[i]).length) / answers.ids.length;
  const answers = answersOf("whole");
  assert.equal(
    answers.map(({ dataset, classNames, ids }) => [dataset, classNames, ids.length]),
    datasets.map((name) => [name, ["ant", "bee", "ant", "bee", "ant", "bee"], 4]),
  );
  assert.equal(
    answers.map((of) => [share(of, "learned"), share(of, "last"), of.ids[0]]),
    datasets.map((name, j) => [matrix[j][j], matrix[2][j], answers[j].ids[0].includes(join("data", name)) ? answers[j].ids[0] : "of another dataset"]),
  );
});

test("a run behind another extends its stream: the bits of one run over both, its rows, and a column more", async () => {
  const first = await cambium(flags("two", { data: data("red", "dark") }));
  assert.is(first.code, 0, first.stderr);
  const second = await cambium(flags("three", { model: at("two"), data: data("blue") }));
  assert.is(second.code, 0, second.stderr);
  assert.match(second.stderr, /goes on behind the 2 tasks of .*two/);
  assert.is(bits("three"), bits("whole"));
  const [two, three, whole] = ["two", "three", "whole"].map(resultOf);
  assert.equal(three.datasets, whole.datasets);
  assert.equal(three.zeroShot, whole.zeroShot);
  assert.equal(three.matrix, [...two.matrix.map((row) => [...row, null]), whole.matrix[2]]);
  // So do the probes that both runs have, and the answers.
  assert.equal(three.probes, whole.probes);
  assert.equal(answersOf("three"), answersOf("whole"));
  // So does one behind the learner of the other, or behind this one in turn.
  const again = await cambium(flags("again", { model: at("two", "model"), data: data("blue") }));
  assert.is(again.code, 0, again.stderr);
  assert.is(bits("again"), bits("whole"));
});

test("a run behind another may ask for the pixels that it was taught with, and for no others", async () => {
  for (const [out, model] of [
    ["unit", at("model")],
    ["unit-too", at("unit")],
  ] as const) {
    const ended = await cambium(flags(out, { model, data: data(out === "unit" ? "red" : "dark"), pixels: "unit" }));
    assert.is(ended.code, 0, ended.stderr);
  }
  const other = await cambium(flags("unit-now", { model: at("two"), data: data("blue"), pixels: "unit" }));
  assert.is(other.code, 1, other.stderr);
  assert.match(
    other.stderr,
    /^--pixels: .*two has learned from other pixels, and goes on with those; leave them as they are \(--pixels model\), or begin anew \(--fresh\)\n$/,
  );
});

test("a run behind another has probes of its own flags: figures of earlier tasks where the other had them, too", async () => {
  const probe = [at("data", "green"), at("data", "grey")].join(",");
  const ended = await cambium(flags("probes", { model: at("two"), data: data("blue"), probe }));
  assert.is(ended.code, 0, ended.stderr);
  const { probes } = resultOf("probes");
  assert.equal(
    probes.map(({ name, zeroShot, after }) => [name, zeroShot === null, after.map((x) => x === null)]),
    [
      ["green", false, [true, true, false]],
      ["grey", false, [false, false, false]],
    ],
  );
  assert.equal(probes[1], resultOf("whole").probes[0]);
  // Without flags it has none.
  const without = flags("unprobed", { model: at("two"), data: data("blue") });
  const none = await cambium(without.filter((word, i) => word !== "--probe" && without[i - 1] !== "--probe"));
  assert.is(none.code, 0, none.stderr);
  assert.equal(resultOf("unprobed").probes, []);
});

test("earlier figures of a probe are left out, and that is said once, where its test pictures or classes are others now", async () => {
  const figures = async (out: string, more: Readonly<Record<string, string>>): Promise<readonly [string, readonly boolean[]]> => {
    const ended = await cambium(flags(out, { model: at("changing"), data: data("blue"), probe: data("changed"), ...more }));
    assert.is(ended.code, 0, ended.stderr);
    const { probes } = resultOf(out);
    assert.type(probes[0].zeroShot, "number");
    return [ended.stderr, probes[0].after.map((x) => x !== null)];
  };
  const said = /changed: other test pictures or classes than those that .*changing has scored; its figures are left out/g;
  const same = [true, true];
  const other = [false, true];
  cpSync(at("data", "grey"), at("data", "changed"), { recursive: true });
  const first = await cambium(flags("changing", { data: data("red"), probe: data("changed") }));
  assert.is(first.code, 0, first.stderr);
  const check = async (out: string, expected: readonly boolean[], more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const [printed, measured] = await figures(out, more);
    assert.equal(measured, expected, out);
    assert.is(printed.match(said)?.length ?? 0, expected === other ? 1 : 0, printed);
  };
  await check("limit-of-all", same, { "eval-limit": "9" });
  await check("fewer", other, { "eval-limit": "3" });
  // The next run behind that one has the same test set as it.
  const behind = await cambium(flags("behind-fewer", { model: at("fewer"), data: data("dark"), probe: data("changed"), "eval-limit": "3" }));
  assert.is(behind.code, 0, behind.stderr);
  assert.equal(
    resultOf("behind-fewer").probes[0].after.map((x) => x !== null),
    [false, true, true],
  );
  for (const split of ["train", "test"]) renameSync(at("data", "changed", split, "bee"), at("data", "changed", split, "cow"));
  await check("renamed", other);
  for (const split of ["train", "test"]) renameSync(at("data", "changed", split, "cow"), at("data", "changed", split, "bee"));
  rmSync(at("data", "changed", "test", "bee", "4.png"));
  await check("removed", other);
  // A run that was kept before test sets were has figures of nobody knows what.
  cpSync(at("data", "grey"), at("data", "changed"), { recursive: true });
  const path = at("changing", "model", "progress.json");
  const { testSets, ...object } = (JSON.parse(readFileSync(path, "utf8")) as { readonly object: Readonly<Record<string, unknown>> }).object;
  assert.ok(testSets);
  await check("known", same);
  writeFileSync(path, JSON.stringify({ object }));
  await check("unknown", other);
});

test("--fresh begins with the model of a run alone", async () => {
  const ended = await cambium([...flags("fresh", { model: at("whole"), data: data("red") }), "--fresh"]);
  assert.is(ended.code, 0, ended.stderr);
  assert.equal(resultOf("fresh").datasets, ["red"]);
  assert.equal((await get(readLearner(at("fresh", "model")))).seen, ["ant", "bee"]);
});

test("three runs behind one another over one dataset name their tasks as one run does", async () => {
  for (const [out, model] of [
    ["one", at("model")],
    ["one-more", at("one")],
    ["and-one", at("one-more")],
  ]) {
    const ended = await cambium(flags(out, { model, data: data("red") }));
    assert.is(ended.code, 0, ended.stderr);
  }
  assert.equal(resultOf("and-one").datasets, ["red", "red-2", "red-3"]);
});

test("an earlier run that began with --fresh can be extended; one that has moved is missed in words", async () => {
  const ended = await cambium(flags("behind-fresh", { model: at("fresh"), data: data("dark") }));
  assert.is(ended.code, 0, ended.stderr);
  assert.equal(resultOf("behind-fresh").datasets, ["red", "dark"]);
  renameSync(at("fresh"), at("moved"));
  const missed = await cambium(flags("lost", { model: at("behind-fresh"), data: data("blue") }));
  assert.is(missed.code, 1);
  assert.match(missed.stderr, /^--model: the run .*behind-fresh began with .*fresh, which is not there any more\n$/);
  renameSync(at("moved"), at("fresh"));
});

test("what somebody puts into OUT under a name of the run's own is left alone", async () => {
  mkdirSync(at("own"));
  mkdirSync(at("elsewhere"));
  writeFileSync(at("elsewhere", "model.safetensors"), "mine");
  let put = false;
  const ended = await cambium(flags("own"), (printed) => {
    if (put || !printed.includes("learn red")) return;
    put = true;
    symlinkSync(at("elsewhere"), at("own", "model"));
    mkdirSync(at("own", "after-7"));
    writeFileSync(at("own", "after-7", "model.safetensors"), "mine");
  });
  assert.is(ended.code, 0, ended.stderr);
  assert.ok(put);
  for (const folder of ["elsewhere", join("own", "after-7")]) assert.is(readFileSync(at(folder, "model.safetensors"), "utf8"), "mine");
  assert.ok(lstatSync(at("own", "model")).isSymbolicLink());
  assert.match(ended.stdout, /written to .*: result\.json, answers\.json, log\.jsonl, report\.html, after-3\//);
  await get(readLearner(at("own", "after-3")));
});

test("a run that was killed behind its last task leaves nothing but what belongs there; a log that was shortened stays a log", async () => {
  const { folder } = { folder: at("two") };
  writeFileSync(join(folder, "training.safetensors"), readFileSync(join(folder, "model", "model.safetensors")));
  writeFileSync(join(folder, "log.jsonl"), "");
  const damaged = await cambium(["resume", folder]);
  assert.is(damaged.code, 1);
  assert.match(damaged.stderr, /^.*training\.safetensors is damaged: .*\n$/);
  rmSync(join(folder, "training.safetensors"));
  const ended = await cambium(["resume", folder]);
  assert.is(ended.code, 0, ended.stderr);
  assert.is(readFileSync(join(folder, "log.jsonl"), "utf8"), "");
});

/** Exit code 1 with one line. */
const refuses = (what: string, args: () => readonly string[], line: RegExp): void => {
  test(`refuses ${what}`, async () => {
    const ended = await cambium(args());
    assert.is(ended.code, 1, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /^[^\n]+\n$/);
    assert.match(ended.stderr, line);
  });
};

refuses("to resume what is no run", () => ["resume", at("model")], /^Cannot read .*model: it is not the folder of a run: it has no job\.json\n$/);
refuses("to resume nothing", () => ["resume"], /^resume: needs the folder of a run/);
refuses("an unknown command", () => ["walk"], /^walk: is no command; there are run, resume/);
refuses(
  "to mix label spaces in one matrix",
  () => flags("mixed", { model: at("whole"), "label-space": "union" }),
  /^--model: .*whole was scored with label space task, single templates, not with label space union, single templates; /,
);
refuses(
  "a run behind itself",
  () => {
    cpSync(at("whole"), at("circle"), { recursive: true });
    const job = JSON.parse(readFileSync(at("circle", "job.json"), "utf8")) as object;
    writeFileSync(at("circle", "job.json"), JSON.stringify({ ...job, model: at("circle") }));
    return ["resume", at("circle")];
  },
  /^model: .*circle is a run behind itself\n$/,
);
refuses(
  "an earlier run of a method that is none",
  () => {
    cpSync(at("whole"), at("strange"), { recursive: true });
    writeFileSync(at("strange", "job.json"), readFileSync(at("strange", "job.json"), "utf8").replace('"name": "keeplora"', '"name": "nope"'));
    return flags("behind-strange", { model: at("strange") });
  },
  /^--method: should be one of .*, not "nope"\n$/,
);
refuses(
  "a job whose numbers are none",
  () => {
    mkdirSync(at("numbers"));
    const job = JSON.parse(readFileSync(at("whole", "job.json"), "utf8")) as object;
    writeFileSync(at("numbers", "job.json"), JSON.stringify({ ...job, evalLimit: 0 }));
    return ["resume", at("numbers")];
  },
  /job\.json: .*evalLimit.*a whole number of at least 1/,
);
refuses(
  "a probe that a run before has learned",
  () => flags("learned", { model: at("whole"), data: data("grey"), probe: data("dark") }),
  /^--probe: .*dark is learned as a task; a probe is a dataset that is never learned\n$/,
);
refuses(
  "a part of what a run before has learned as a probe",
  () => flags("learned", { model: at("whole"), data: data("grey"), probe: join(data("dark"), "test") }),
  /^--probe: .*test lies inside of .*dark, which is learned as a task; /,
);
refuses("joint training behind a run", () => flags("joint", { model: at("whole"), method: "joint" }), /^--method: joint learns all tasks at once/);

linux("refuses an OUT that cannot be made, at once", async () => {
  for (const out of ["/proc/nope", "/proc/nope/deeper", at("model", "config.json", "x")]) {
    const ended = await cambium(flags("x", { out }));
    assert.is(ended.code, 1);
    assert.match(ended.stderr, /^Cannot write .*\n$/);
  }
});

linux("one run at a time holds a folder; what somebody puts there stays; its log grows while it runs", async () => {
  mkdirSync(at("held"));
  symlinkSync(at("held"), at("link"));
  let second: Promise<unknown> | undefined;
  let grown = 0;
  const ended = await cambium(flags("link", { steps: "200" }), (printed, send) => {
    const log = at("held", "log.jsonl");
    if (existsSync(log)) grown = Math.max(grown, readFileSync(log).length);
    if (second !== undefined || !printed.includes("evaluate: 4 in")) return;
    writeFileSync(at("held", "mine.txt"), "mine");
    second = Promise.all([
      cambium(["resume", at("held")]).then((other) => {
        assert.is(other.code, 1);
        assert.match(other.stderr, /^Cannot write .*held: process \d+ is writing to it\n$/);
      }),
      cambium(flags("link")).then((other) => assert.is(other.code, 1)),
    ]).finally(() => send("SIGINT"));
  });
  await second;
  assert.ok(grown > 0);
  assert.ok([0, 130].includes(ended.code ?? -1), ended.stderr);
  assert.is(readFileSync(at("held", "mine.txt"), "utf8"), "mine");
  assert.ok(lstatSync(at("link")).isSymbolicLink());
});

linux("a reader that goes away and a full device end nothing", async () => {
  const full = openSync("/dev/full", "w");
  const ended = await cambium(flags("full", { data: data("red") }), undefined, { stdio: ["ignore", full, full] });
  closeSync(full);
  assert.is(ended.code, 0);
  assert.equal(resultOf("full").datasets, ["red"]);
});

linux("relative paths are those of where the user stands, and OUT may be the folder itself", async () => {
  mkdirSync(at("here"));
  const args = flags("x", { model: "../model", data: "../data/red", out: "." });
  const ended = await cambium(args, undefined, { cwd: "/", env: { npm_package_name: "cambium", npm_lifecycle_event: "stream", INIT_CWD: at("here") } });
  assert.is(ended.code, 0, ended.stderr);
  assert.equal(resultOf("here").datasets, ["red"]);
});

test.run();
