/**
 * The package as its users get it: packed, installed into an empty folder, compiled there by every TypeScript that is in use, and run; and the same
 * program under Deno, inside of this folder and outside.
 */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { browserTest, runTests } from "./browser/check.ts";
import type { Tab } from "./browser/tab.ts";
import { writeColours } from "./fixtures/datasets.ts";
import { writeTinyClip } from "./fixtures/tinyClip.ts";
import { inDeno, run } from "./runtime.ts";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";

const npx = npm.replace("npm", "npx");

const found = async (command: string): Promise<boolean> => (await run(command, ["--version"])).code === 0;

const deno = inDeno ? process.execPath : (process.env.DENO ?? "deno");

const [hasNpm, hasDeno] = [(await found("node")) && (await found(npm)), await found(deno)];

/** What a user writes: two steps of CoDyRA on two coloured squares. `entry` is where they import from, `model` a CLIP folder. */
const program = (entry: string, model: string): string => `
import { codyra, data, describe, learner, readModel, runMethod, textTable, withDevice } from ${JSON.stringify(entry)};
import type { Task } from ${JSON.stringify(entry)};

declare const console: { log(text: string): void };

const right = <A>(value: A) => async () => ({ _tag: "Right" as const, right: value });
const square = (red: number): data.Image => ({ width: 16, height: 16, data: new Uint8Array(768).map((_, i) => (i % 3 === 0 ? red : 40)) });
const examples = [240, 30].map((red, label): data.Example => ({ id: "square " + label, label, image: { kind: "pixels", image: square(red) } }));
const colours: Task = { name: "colours", classNames: ["red", "black"], templates: ["a {c} square."], train: right(examples), test: right(examples) };

const ended = await withDevice({})((device) => async () => {
  const clip = await readModel(${JSON.stringify(model)})();
  if (clip._tag === "Left") return clip;
  const runtime = { device, seed: 1, images: data.imageCache(8), emit: () => {} };
  return runMethod(codyra({ steps: 2, batch: 2, rank: 2 }), learner(clip.right), { tasks: [colours], labelSpace: "task" })(runtime)();
})();
console.log(ended._tag === "Left" ? describe(ended.left) : "adapter: " + ended.right.result.adapter + "\\n" + textTable([ended.right.result]));
`;

/** The same for a page, whose model comes from its server; what came of it is left where a test finds it. */
const pageProgram = `
import { codyra, describe, run } from "cambium";

const right = (value) => async () => ({ _tag: "Right", right: value });
const square = (red) => ({ width: 16, height: 16, data: new Uint8Array(768).map((_, i) => (i % 3 === 0 ? red : 40)) });
const examples = [240, 30].map((red, label) => ({ id: "square " + label, label, image: { kind: "pixels", image: square(red) } }));
const colours = { name: "colours", classNames: ["red", "black"], templates: ["a {c} square."], train: right(examples), test: right(examples) };

globalThis.ended = run({
  method: codyra({ steps: 2, batch: 2, rank: 2 }),
  model: location.origin + "/model",
  data: { tasks: [colours], labelSpace: "task" },
})().then((ended) => (ended._tag === "Left" ? describe(ended.left) : "adapter: " + ended.right.result.adapter));
`;

/** What it prints. */
const table = /^adapter: .+\nMethod +Learned +(Gain kept +)?Average +Last .*\n.+\nchance .*\nzero-shot .*\nCoDyRA /m;

/** Runs a command that must succeed. */
const must = async (command: string, args: readonly string[], cwd?: string): Promise<string> => {
  const { code, output } = await run(command, args, cwd === undefined ? {} : { cwd });
  assert.is(code, 0, output);
  return output;
};

const folders: string[] = [];

/** A new folder with the tiny model; gone after the tests. */
const newFolder = async (parent: string): Promise<string> => {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "cambium-user-"));
  folders.push(folder);
  await writeTinyClip(join(folder, "model"));
  return folder;
};

test.after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const install = (folder: string, ...packages: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> =>
  run(npm, ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], { cwd: folder });

/** A project that has installed the tarball and nothing else. */
const newProject = async (): Promise<string> => {
  const folder = await newFolder(tmpdir());
  await must(npm, ["pack", "--silent", "--pack-destination", folder]);
  const tarball = (await readdir(folder)).find((f) => f.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  await writeFile(join(folder, "user.ts"), program("cambium", "model"));
  await writeFile(join(folder, "page.js"), pageProgram);
  const { code, output } = await install(folder, `./${tarball}`);
  assert.is(code, 0, output);
  return folder;
};

const project = hasNpm ? await newProject() : "";

/** What users choose, in all pairs: the DOM's types or none, Node's resolution or a bundler's, exact optional properties or not. */
const choices = [
  { lib: "es2023", moduleResolution: "nodenext", exact: true },
  { lib: "es2023", moduleResolution: "bundler", exact: false },
  { lib: "es2023,dom", moduleResolution: "nodenext", exact: false },
  { lib: "es2023,dom", moduleResolution: "bundler", exact: true },
] as const;

/** A user's project: strict, every declaration checked, no types but those of its library. */
const configuration = ({ lib, moduleResolution, exact }: (typeof choices)[number]): object => ({
  compilerOptions: {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2022",
    module: moduleResolution === "nodenext" ? "nodenext" : "esnext",
    moduleResolution,
    lib: lib.split(","),
    exactOptionalPropertyTypes: exact,
    types: [],
  },
  files: ["user.ts"],
});

const compilers: Readonly<Record<string, string>> = {
  "5.9": "node_modules/typescript-5.9",
  "6": "node_modules/typescript-6",
  "7": resolve("node_modules/typescript"),
};

/** TypeScript 5.9 and 6, and Vite, come from the registry, at once: npm takes away what an earlier call has installed and not saved. 7 compiles this project. */
const fromRegistry = async (): Promise<boolean> => {
  const { code, output } = await install(project, "--no-save", "typescript-5.9@npm:typescript@5.9", "typescript-6@npm:typescript@6", "vite@8");
  if (code !== 0) console.log(`TypeScript 5.9 and 6 and Vite cannot be installed, so they check nothing: ${output.trim().split("\n")[0]}`);
  return code === 0;
};

const others = hasNpm && !inDeno && (await fromRegistry());

// The compilers and Node do the same whoever starts them.
if (!inDeno) {
  for (const [version, folder] of Object.entries(compilers)) {
    (hasNpm && (others || version === "7") ? test : test.skip)(`a user's program compiles in TypeScript ${version}`, async () => {
      const files = choices.map((_, i) => `tsconfig.${i}.json`);
      for (const [i, choice] of choices.entries()) await writeFile(join(project, files[i]), JSON.stringify(configuration(choice)));
      await must("node", [join(folder, "bin", "tsc"), "--build", "--force", ...files], project);
    });
  }

  (hasNpm ? test : test.skip)("the packed tarball works in an empty Node project", async () => {
    const options = ["--target", "es2022", "--module", "nodenext", "--types", "", "user.ts"];
    await must("node", [join(compilers["7"], "bin", "tsc"), "--ignoreConfig", ...options], project);
    assert.match(await must("node", ["user.js"], project), table);
  });
}

const { version } = JSON.parse(await readFile("package.json", "utf8")) as { readonly version: string };

(hasNpm && !inDeno ? test : test.skip)("the packed tarball brings the command, which tells of the flags that npm has kept", async () => {
  assert.is(await must(npx, ["--no-install", "cambium", "--version"], project), `${version}\n`);
  assert.match(await must(npx, ["--no-install", "cambium"], project), /^cambium: .*\n\nUsage\n/);
  await must(npm, ["pkg", "set", "scripts.stream=cambium run"], project);
  const kept = await run(npm, ["run", "--silent", "stream", "--model", "model"], { cwd: project });
  assert.is(kept.code, 1);
  assert.match(kept.output, /^--model: npm has kept it for itself, because -- is missing before the flags; write npm run stream -- --model MODEL …$/m);
});

(hasNpm && hasDeno ? test : test.skip)("the packed tarball brings the command to Deno", async () => {
  assert.is(await must(deno, ["run", "-A", "npm:cambium", "--version"], project), `${version}\n`);
});

test("the command in this folder", async () => {
  const command = inDeno ? [deno, "task", "--quiet", "stream"] : ["node", join("bin", "cambium.mjs"), "run"];
  const { code, output } = await run(command[0], [...command.slice(1), "--help"]);
  assert.is(code, 0, output);
  assert.match(output, /^cambium run: /);
});

(hasNpm && hasDeno ? test : test.skip)("the packed tarball works in a Deno project", async () => {
  await must(deno, ["check", "user.ts"], project);
  assert.match(await must(deno, ["run", "-A", "user.ts"], project), table);
});

(hasDeno ? test : test.skip)("a Deno script in this folder imports mod.ts", async () => {
  const folder = await newFolder(".cache");
  const script = join(folder, "user.ts");
  await writeFile(script, program("../../mod.ts", join(folder, "model")));
  await must(deno, ["check", "mod.ts", script]);
  assert.match(await must(deno, ["run", "-A", script]), table);
});

(hasDeno ? test : test.skip)("a Deno script outside of this folder imports mod.ts with its configuration", async () => {
  const folder = await newFolder(tmpdir());
  await writeFile(join(folder, "user.ts"), program(resolve("mod.ts"), "model"));
  await must(deno, ["check", "--config", resolve("deno.json"), "user.ts"], folder);
  assert.match(await must(deno, ["run", "-A", "--config", resolve("deno.json"), "user.ts"], folder), table);
});

/** A page that loads a script and has nothing else; its icon is named, so that no browser asks for one. */
const pageOf = (script: string): string => `<!doctype html><html lang="en"><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

/** What a page's program has left. A file that is looked for and is not there is no fault of a page, though the console calls it an error. */
const endOf = async ({ page, complaints }: Tab): Promise<string> => {
  const told = await page.evaluate<string>(ended);
  complaints.splice(0, complaints.length, ...complaints.filter((line) => !line.includes("404")));
  return told;
};

const ended = "new Promise((tell) => { const look = () => globalThis.ended?.then(tell) ?? setTimeout(look, 20); look(); })";

const inNode = hasNpm && !inDeno;

if (inNode) {
  await writeFile(join(project, "esbuild.html"), pageOf("/esbuild.js"));
  await writeFile(join(project, "index.html"), pageOf("/page.js"));

  test("esbuild makes one file of a page's program, under 600 kB, and 180 kB as servers send it", async () => {
    const entryPoints = [join(project, "page.js")];
    const outfile = join(project, "esbuild.js");
    const { metafile } = await build({ entryPoints, outfile, bundle: true, minify: true, format: "esm", metafile: true, logLevel: "silent" });
    const text = await readFile(outfile);
    assert.ok(text.length < 600_000, `${text.length} bytes`);
    assert.ok(brotliCompressSync(text).length < 180_000, `${brotliCompressSync(text).length} bytes in Brotli`);
    const inputs = Object.keys(metafile.inputs);
    assert.ok(inputs.every((path) => !/platform\/node\/|brotli|\/fp-ts\/lib\//.test(path)));
  });

  browserTest("what esbuild makes runs in a browser", async (tab) => assert.match(await endOf(tab), /^adapter: ./), {
    folder: project,
    path: "/esbuild.html",
  });

  (others ? test : test.skip)("Vite makes a page whose script is under 600 kB, and 180 kB in gzip", async () => {
    await writeTinyClip(join(project, "public", "model"));
    await must("node", [join("node_modules", "vite", "bin", "vite.js"), "build", "--logLevel", "warn", "--outDir", "vite"], project);
    const scripts = (await readdir(join(project, "vite", "assets"))).filter((name) => /^index-.*\.js$/.test(name));
    assert.is(scripts.length, 1);
    const text = await readFile(join(project, "vite", "assets", scripts[0]));
    assert.ok(text.length < 600_000, `${text.length} bytes`);
    assert.ok(gzipSync(text).length < 180_000, `${gzipSync(text).length} bytes in gzip`);
  });

  if (others)
    browserTest("what Vite makes runs in a browser", async (tab) => assert.match(await endOf(tab), /^adapter: ./), {
      folder: join(project, "vite"),
    });

  browserTest(
    "the ready-made files run a job in a worker, without a bundler",
    async ({ page }) => {
      await writeColours(project, { pets: [240, 30] });
      const names = ["train", "test"].flatMap((split) =>
        ["ant", "bee"].flatMap((one) => (split === "train" ? [0, 1, 2] : [3, 4]).map((i) => `pets/${split}/${one}/${i}.png`)),
      );
      const answer = await page.evaluate(`(async () => {
        const { describe, inWorker, platform, readLearner } = await import("/node_modules/cambium/dist/browser/cambium.min.js");
        for (const name of ${JSON.stringify(names)}) {
          const bytes = new Uint8Array(await (await fetch("/" + name)).arrayBuffer());
          await platform.files.write("/" + name, [bytes])();
        }
        const method = { name: "codyra", options: { steps: 2, batch: 2, rank: 2 } };
        const rest = { seed: 0, evaluate: { templates: "single" }, onCorrupt: "fail", out: "/run" };
        const ended = await inWorker({ version: 1, model: location.origin + "/model", source: { folders: ["/pets"] }, method, ...rest })();
        if (ended._tag === "Left") return describe(ended.left);
        const learner = await readLearner(ended.right.model)();
        return learner._tag === "Left" ? describe(learner.left) : learner.right.seen.join();
      })()`);
      assert.is(answer, "ant,bee");
    },
    { folder: project, path: "/blank.html" },
  );
  await writeFile(join(project, "blank.html"), '<!doctype html><html lang="en"><link rel="icon" href="data:,">');
}

runTests();
