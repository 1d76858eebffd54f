/** What is alike in all commands: help with defaults and examples, "did you mean", --version, --json, --quiet, and what npm keeps for itself. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { commands, helpOfAll } from "../../src/cli/commands.ts";
import { flag, list, oneOf, optional, some, toggle, whole } from "../../src/cli/flags.ts";
import { flagLines, plain } from "../../src/cli/help.ts";
import { keptByNpm } from "../../src/cli/npm.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { meant } from "../../src/formats/suggest.ts";
import { describe } from "../../src/failure.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("help");
const at = (...path: readonly string[]): string => join(dir, ...path);

test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(at("data"), { red: [240, 30] });
});

test.after(remove);

test("run speaks of questions beside images", () => {
  const help = commands.find(({ name }) => name === "run")!.help([], plain);
  for (const said of [/replies\.json of questions/, /images or questions a step/, /share of the images or questions that/])
    assert.match(help.replace(/\s+/g, " "), said);
});

/** What a process prints that ends well. */
const printed = async (...args: readonly string[]): Promise<string> => {
  const ended = await cambium(args);
  assert.is(ended.code, 0, ended.stderr);
  assert.is(ended.stderr, "");
  return ended.stdout;
};

test("the command without one, and with --help or help, lists all commands with a sentence each", async () => {
  const all = await printed();
  assert.is(all, `${helpOfAll(plain)}\n`);
  for (const { name, does } of commands) assert.match(all, new RegExp(`^ {2}${name} +${does.split(" ")[0]} `, "m"));
  assert.is(await printed("help", "--json"), all);
  assert.is(await printed("help", "resume"), `${commands.find(({ name }) => name === "resume")?.help([], plain)}\n`);
});

for (const { name, flags, help } of commands) {
  test(`${name} --help says how it is called, each flag with its default, and two examples`, () => {
    const text = help([], plain);
    assert.match(text, new RegExp(`^cambium ${name}: [a-z]`));
    const [, usage] = /^Usage\n((?: {2}.+\n)+)/m.exec(text) ?? [];
    assert.match(usage, new RegExp(`^ {2}cambium ${name}`));
    for (const [flag, { hint, otherwise }] of Object.entries(flags)) {
      assert.match(text, new RegExp(`^ {2}--${flag}${hint === "" ? "" : " "}`, "m"));
      if (otherwise === undefined) assert.ok(usage.includes(`--${flag} `), `${name}: the usage has no --${flag}`);
      else if (hint !== "") assert.is.not(otherwise.said, "", `${name}: the help has no default of --${flag}`);
    }
    for (const common of ["json", "quiet", "help"]) assert.ok(common in flags);
    const examples = [...text.split("\nExamples\n")[1].matchAll(/^ {2}(cambium .*)\n {6}\S/gm)];
    assert.ok(examples.length >= 2, text);
    for (const line of text.split("\n")) assert.ok(line.length <= 120 || line.startsWith("  cambium "), line);
  });
}

test("the version is that of package.json", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
  assert.is(await printed("--version"), `${version}\n`);
});

test("help has a default once, in words or as it is, and wraps what is long", () => {
  const table = {
    given: flag(some, "TEXT", "a text"),
    words: flag(list(oneOf("a", "b")), "LIST", "words", ["a", "b"]),
    steps: optional(whole(1), "N", "steps", "all"),
    fresh: toggle("anew"),
    "a-very-long-name-of-a-flag": flag(whole(0), "NUMBER", "of this and that, with more to say than fits", 7),
  };
  assert.equal(flagLines(table, 40), [
    "  --given TEXT  a text",
    "  --words LIST  words [a,b]",
    "  --steps N     steps [all]",
    "  --fresh       anew",
    "  --a-very-long-name-of-a-flag NUMBER",
    "                of this and that, with",
    "                more to say than fits",
    "                [7]",
  ]);
});

test("a word is meant where it is close, or begins as one does and no other", () => {
  const words = ["sequential-lora", "codyra", "keeplora", "keeplora++", "dac"];
  assert.is(meant("codrya", words), "codyra");
  assert.is(meant("CoDyRA", words), "codyra");
  assert.is(meant("keeplora+", words), "keeplora");
  assert.is(meant("seq", words), "sequential-lora");
  assert.is(meant("dca", words), "dac");
  assert.is(meant("rnu", ["run", "resume"]), "run");
  assert.is(meant("dcb", words), undefined);
  assert.is(meant("cod", words), "codyra");
  for (const far of ["magic", "", "x", "keep", "lora"]) assert.is(meant(far, words), undefined, far);
});

/** Why a command does not start. */
const refused = (command: string, ...args: readonly string[]): string => describe(left(commands.find(({ name }) => name === command)!.start(args)));

test("what is close to a word is asked for: commands, flags, methods, presets, words of lists, options of --set and their words", async () => {
  const unknown = await cambium(["rum"]);
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, /^rum: is no command; there are run, .*; did you mean run\?\n$/);
  assert.is(refused("run", "--modle", "x"), "--modle: there is no such flag; did you mean --model?");
  assert.is(refused("run", "-model", "x"), "-model: is no flag; did you mean --model?");
  assert.is(refused("run", "--zebra", "x"), "--zebra: there is no such flag; --help lists them");
  assert.match(refused("run", "--model", "x", "--method", "codrya"), /not "codrya"; did you mean codyra\?$/);
  assert.match(refused("run", "--model", "x", "--preset", "mtil1"), /not "mtil1"; did you mean mtil-1\?$/);
  assert.match(refused("run", "--model", "x", "--preset", "mine"), /not "mine"$/);
  assert.match(refused("run", "--model", "x", "--method", "dac", "--label-space", "task, uniom"), /not "task, uniom"; did you mean union\?$/);
  const set = (text: string) => describe(left(parseOptions("codyra", text)));
  assert.match(set("kapa=1"), /^--set: codyra has no option kapa; .*; did you mean kappa\?$/);
  assert.match(set("shrink=papr"), /not "papr"; did you mean paper\?$/);
  assert.match(set("reading=cod"), /not "cod"; did you mean code\?$/);
});

test("what stands where it should not is named: an operand too many, a flag before the command, several methods, --format beside --json", async () => {
  assert.is(refused("evaluate", "models/clip", "data/pets"), "data/pets: is one too many: evaluate takes one MODEL, and --data is missing");
  assert.is(refused("info", "a", "b"), "b: is one too many: info takes one PATH");
  assert.is(refused("compare", "a", "--json", "--format", "csv"), "--format: and --json exclude one another");
  assert.match(refused("run", "--model", "x", "--method", "codyra,dac"), /not "codyra,dac"; several methods are a sweep: cambium sweep --help$/);
  const before = await cambium(["--quiet", "info", "x"]);
  assert.is(before.code, 1);
  assert.match(before.stderr, /^--quiet: flags stand behind the command, as in cambium COMMAND \[flags\]/);
});

const table = { model: flag(some, "DIR", "a model"), "data-root": optional(some, "DIR", "data"), fresh: toggle("anew"), json: toggle("json") };
const hint = (args: readonly string[], env: Readonly<Record<string, string>>): string | undefined => {
  const failure = keptByNpm(table, args, env);
  return failure && describe(failure);
};

test("flags that npm has kept for itself are named, with what to write instead", () => {
  const env = { npm_command: "run", npm_lifecycle_event: "stream", npm_config_json: "true", npm_config_cache: "/x" };
  assert.is(
    hint(["x"], { ...env, npm_config_model: "true", npm_config_data_root: "data", npm_config_fresh: "true" }),
    "--model: npm has kept it for itself, because -- is missing before the flags; write npm run stream -- --model DIR --data-root DIR --fresh …",
  );
  assert.match(hint([], { npm_command: "start", npm_lifecycle_event: "start", npm_config_model: "x" }) ?? "", /write npm start -- --model DIR …$/);
  assert.is(hint(["--model=x"], { ...env, npm_config_model: "y" }), undefined);
  assert.is(hint([], env), undefined);
  assert.is(hint([], { npm_config_model: "x" }), undefined);
  assert.is(hint([], { npm_command: "exec", npm_lifecycle_event: "npx", npm_config_model: "x" }), undefined);
});

const run = (out: string, ...more: readonly string[]) => [
  ...[
    "run",
    "--model",
    at("model"),
    "--data",
    at("data", "red"),
    "--method",
    "sequential-lora",
    "--steps",
    "2",
    "--batch",
    "2",
    "--rank",
    "2",
    "--out",
    at(out),
  ],
  ...more,
];

test("--json prints one JSON value on stdout and the rest on stderr", async () => {
  const ended = await cambium(run("json", "--json"));
  assert.is(ended.code, 0, ended.stderr);
  const { folder, model, tasks, interrupted, skipped, result } = JSON.parse(ended.stdout) as Readonly<Record<string, unknown>>;
  assert.equal({ folder, model, tasks, interrupted, skipped }, { folder: at("json"), model: at("json", "model"), tasks: 1, interrupted: false, skipped: 0 });
  const written = JSON.parse(readFileSync(at("json", "result.json"), "utf8")) as { readonly matrix: unknown };
  assert.equal((result as typeof written).matrix, written.matrix);
  assert.match(ended.stderr, /^adapter: /m);
  assert.match(ended.stderr, /learn red: 2 in /);
});

/** Without what Dawn writes there itself. */
const ours = (text: string): string => text.replace(/^Warning: max\w+ artificially reduced .*\n/gm, "");

test("--quiet prints the outcome alone; beside --json nothing but JSON", async () => {
  const quiet = await cambium(run("quiet", "--quiet"));
  assert.is(quiet.code, 0);
  assert.is(ours(quiet.stderr), "");
  assert.match(quiet.stdout, /^\nMethod /);
  const both = await cambium(["resume", at("quiet"), "--quiet", "--json"]);
  assert.is(ours(both.stderr), "");
  JSON.parse(both.stdout);
});

test("what fails is said whatever is asked for", async () => {
  const ended = await cambium(["resume", at("nothing"), "--json", "--quiet"]);
  assert.is(ended.code, 1);
  assert.is(ended.stdout, "");
  assert.match(ended.stderr, /^Cannot read .*nothing.*\n$/);
});

(process.platform === "linux" ? test : test.skip)("what cannot be printed is a failure", async () => {
  const full = openSync("/dev/full", "w");
  const ended = await cambium(["info", at("model")], undefined, { stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /^Cannot write to stdout: .*\n$/);
});

test("colours are for terminals, or where FORCE_COLOR asks for them", async () => {
  const coloured = (env: Readonly<Record<string, string>>) => cambium(["resume"], undefined, { env: { NO_COLOR: "", ...env } });
  for (const env of [
    { CI: "true", FORCE_COLOR: "" },
    { CI: "", FORCE_COLOR: "0" },
  ])
    assert.is((await coloured(env)).stderr.includes("\u001b"), false);
  assert.match((await coloured({ FORCE_COLOR: "1" })).stderr, /^\u001b\[31mresume: .*\u001b\[39m\n$/);
  const help = await cambium(["--help"], undefined, { env: { NO_COLOR: "", FORCE_COLOR: "1" } });
  assert.match(help.stdout, /^\u001b\[1mUsage\u001b\[22m$/m);
});

test.run();
