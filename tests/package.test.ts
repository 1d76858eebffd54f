/**
 * The package as its users get it: packed, installed into an empty folder and imported there; and the same sources imported by a Deno script.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeTinyClip } from "./fixtures/tinyClip.ts";
import { inDeno, run } from "./runtime.ts";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";

const found = async (command: string): Promise<boolean> => (await run(command, ["--version"])).code === 0;

const deno = inDeno ? process.execPath : (process.env.DENO ?? "deno");

/** What both users write: two steps of CoDyRA on two coloured squares. `entry` is where they import from, `model` a CLIP folder. */
const program = (entry: string, model: string): string => `
import { codyra, data, describe, learner, readModel, runMethod, textTable, withDevice } from ${JSON.stringify(entry)};

const right = (value) => async () => ({ _tag: "Right", right: value });
const square = (red) => ({ width: 16, height: 16, data: new Uint8Array(768).map((_, i) => (i % 3 === 0 ? red : 40)) });
const examples = [240, 30].map((red, label) => ({ id: "square " + label, label, image: { kind: "pixels", image: square(red) } }));
const colours = { name: "colours", classNames: ["red", "black"], templates: ["a {c} square."], train: right(examples), test: right(examples) };

const ended = await withDevice({})((device) => async () => {
  const clip = await readModel(${JSON.stringify(model)})();
  if (clip._tag === "Left") return clip;
  const runtime = { device, seed: 1, images: data.imageCache(8), emit: () => {} };
  return runMethod(codyra({ steps: 2, batch: 2, rank: 2 }), learner(clip.right), { tasks: [colours], labelSpace: "task" })(runtime)();
})();
console.log(ended._tag === "Left" ? describe(ended.left) : "adapter: " + ended.right.result.adapter + "\\n" + textTable([ended.right.result]));
`;

/** What it prints. */
const table = /^adapter: .+\nMethod +Transfer +Average +Last .*\n.+\ncodyra /m;

/** A new folder in `parent`, gone afterwards. */
const inFolder = async (parent: string, use: (folder: string) => Promise<void>): Promise<void> => {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "cambium-user-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

((await found("node")) && (await found(npm)) ? test : test.skip)("the packed tarball works in an empty Node project", () =>
  inFolder(tmpdir(), async (folder) => {
    const packed = await run(npm, ["pack", "--silent", "--pack-destination", folder]);
    assert.is(packed.code, 0, packed.output);
    const tarball = (await readdir(folder)).find((f) => f.endsWith(".tgz"));
    assert.ok(tarball, packed.output);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
    await writeTinyClip(join(folder, "model"));
    await writeFile(join(folder, "user.js"), program("cambium", "model"));
    const installed = await run(npm, ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", `./${tarball}`], { cwd: folder });
    assert.is(installed.code, 0, installed.output);
    const ended = await run("node", ["user.js"], { cwd: folder });
    assert.is(ended.code, 0, ended.output);
    assert.match(ended.output, table);
  }),
);

// Deno takes the packages of the configuration beside the script, so the script lies in this repository.
((await found(deno)) ? test : test.skip)("a Deno script imports mod.ts", () =>
  inFolder(".cache", async (folder) => {
    await writeTinyClip(join(folder, "model"));
    await writeFile(join(folder, "user.ts"), program("../../mod.ts", join(folder, "model")));
    const ended = await run(deno, ["run", "-A", join(folder, "user.ts")]);
    assert.is(ended.code, 0, ended.output);
    assert.match(ended.output, table);
  }),
);

test.run();
