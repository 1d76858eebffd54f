/** The build (.ci/setup.mjs) in a small clone: it touches what has changed, each file at once, and one build waits for another. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { run, type Ended } from "./runtime.ts";

const root = mkdtempSync(join(tmpdir(), "cambium-build-"));
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};

/** What a clone has beside its sources: no packages but those that lie here. */
for (const path of [".ci/setup.mjs", ".ci/lock.mjs", "bin/cambium.mjs", "wgsl/generate.mjs"]) cpSync(path, join(root, path));
symlinkSync(resolve("node_modules"), join(root, "node_modules"), "junction");
write("package.json", JSON.stringify({ type: "module" }));
write("package-lock.json", JSON.stringify({ packages: {} }));
write("deno.lock", JSON.stringify({ specifiers: {} }));
const { compilerOptions } = JSON.parse(readFileSync("tsconfig.json", "utf8"));
write("tsconfig.json", JSON.stringify({ compilerOptions: { ...compilerOptions, types: [] }, include: ["src", "wgsl/*.ts"] }));
write("wgsl/nothing.wgsl", "struct Dims { n: u32 }\n");
write("src/one.ts", "export const one: number = 1;\n");
write("src/two.ts", "export const two: number = 2;\n");
write(
  "src/cli/main.ts",
  `import { one } from "../one.ts";\nimport { two } from "../two.ts";\ndeclare const console: { log(x: number): void };\nconsole.log(one + two);\n`,
);

const setup = (): Promise<Ended> => run("node", [join(".ci", "setup.mjs")], { cwd: root });
const cambium = (): Promise<Ended> => run("node", [join("bin", "cambium.mjs")], { cwd: root });

/** Every file of dist, and of what is generated, with the file that it is and when it was written. */
const files = (folder = "dist"): readonly (readonly [string, string])[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry): ReturnType<typeof files> => {
    const path = `${folder}/${entry.name}`;
    if (entry.name === ".build") return [];
    if (entry.isDirectory()) return files(path);
    const { ino, mtimeMs } = statSync(join(root, path));
    return [[path, `${ino} ${mtimeMs}`]];
  });
const all = (): ReadonlyMap<string, string> => new Map([...files(), ...files("wgsl")]);

/** A build without a word, and the files that it has written, in the order of their names. */
const built = async (): Promise<readonly string[]> => {
  const before = existsSync(join(root, "dist")) ? all() : new Map<string, string>();
  const { code, output } = await setup();
  assert.is(code, 0, output);
  assert.is(output, "");
  return [...all()].filter(([path, state]) => before.get(path) !== state).map(([path]) => path);
};

// The build is Node's; Deno runs the sources.
const inNode = (await run("node", ["--version"])).code === 0 ? test : test.skip;

test.after(() => rmSync(root, { recursive: true, force: true }));

inNode("two builds at once wait for one another, and a command for both", async () => {
  const ended = await Promise.all([setup(), setup(), cambium()]);
  for (const { code, output } of ended) assert.is(code, 0, output);
  assert.match(ended[2].output, /^3$/m);
  assert.equal(readdirSync(join(root, "dist", ".build")), ["tsbuildinfo"]);
});

inNode("what has not changed is not touched, and what has is replaced", async () => {
  assert.equal(await built(), []);
  write("src/two.ts", "export const two: number = 3;\n");
  assert.equal(await built(), ["dist/src/two.js"]);
  assert.is((await cambium()).output, "4\n");
});

inNode("sources with errors change nothing, and what was right among them comes with the next build", async () => {
  const before = all();
  write("src/one.ts", "export const one: number = true;\n");
  write("src/two.ts", "export const two: number = 4;\n");
  const { code, output } = await setup();
  assert.is(code, 1);
  assert.match(output, /^src\/one\.ts.*not assignable/m);
  assert.equal(all(), before);
  assert.is((await cambium()).output, "4\n");
  write("src/one.ts", "export const one: number = 1;\n");
  assert.equal(await built(), ["dist/src/two.js"]);
});

inNode("what has no source any more goes, and what was removed is written again", async () => {
  write("src/three.ts", "export const three: number = 3;\n");
  assert.equal(await built(), ["dist/src/three.d.ts", "dist/src/three.js"]);
  rmSync(join(root, "src", "three.ts"));
  rmSync(join(root, "dist", "src", "two.js"));
  assert.equal(await built(), ["dist/src/two.js"]);
  assert.not.ok(existsSync(join(root, "dist", "src", "three.js")));
});

inNode("a build that was killed is built to its end, by a command too, and its lock is taken away", async () => {
  write("src/one.ts", "export const one: number = 5;\n");
  write("dist/.build/new/src/one.js", "export const ");
  write("dist/.build/lock", `${hostname().replace(/\s/g, "_")} ${2 ** 30} 0`);
  const { code, output } = await cambium();
  assert.is(code, 0, output);
  assert.is(output, "9\n");
  assert.equal(readdirSync(join(root, "dist", ".build")), ["tsbuildinfo"]);
});

test.run();
