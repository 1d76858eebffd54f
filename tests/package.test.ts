/**
 * The package as its users get it: packed, installed into an empty folder and imported there; and the same sources imported by a Deno script.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inDeno, run } from "./runtime.ts";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";

const found = async (command: string): Promise<boolean> => (await run(command, ["--version"])).code === 0;

const deno = inDeno ? process.execPath : process.env.DENO ?? "deno";

/** What both users write; `entry` is where they import from. */
const program = (entry: string): string => `
import { describe, withDevice } from ${JSON.stringify(entry)};

const result = await withDevice({})((device) => async () => {
  const buffer = device.buffer("a user's tensor", 1024);
  if (buffer._tag === "Left") return buffer;
  const settled = await device.settled();
  return settled._tag === "Left" ? settled : { _tag: "Right", right: device.adapter.line };
})();
console.log(result._tag === "Left" ? describe(result.left) : "adapter: " + result.right);
`;

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

((await found("node")) && (await found(npm)) ? test : test.skip)("the packed tarball works in an empty Node project", () => inFolder(tmpdir(), async (folder) => {
  const packed = await run(npm, ["pack", "--silent", "--pack-destination", folder]);
  assert.is(packed.code, 0, packed.output);
  const tarball = (await readdir(folder)).find((f) => f.endsWith(".tgz"));
  assert.ok(tarball, packed.output);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  await writeFile(join(folder, "user.js"), program("cambium"));
  const installed = await run(npm, ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", `./${tarball}`], { cwd: folder });
  assert.is(installed.code, 0, installed.output);
  const ended = await run("node", ["user.js"], { cwd: folder });
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^adapter: /m);
}));

// Deno takes the packages of the configuration beside the script, so the script lies in this repository.
((await found(deno)) ? test : test.skip)("a Deno script imports mod.ts", () => inFolder(".cache", async (folder) => {
  await writeFile(join(folder, "user.ts"), program("../../mod.ts"));
  const ended = await run(deno, ["run", "-A", join(folder, "user.ts")]);
  assert.is(ended.code, 0, ended.output);
  assert.match(ended.output, /^adapter: /m);
}));

test.run();
