// Makes `npm start` and its siblings one command in a bare clone: installs what package-lock.json names if it is not there, writes
// wgsl/generated.ts, compiles to dist/, and bundles for browsers there. Says nothing on stdout, and nothing at all where there is nothing to do. Programs may start from dist/ meanwhile:
// what has not changed is not touched, and what has is replaced file by file, each at once. A second setup waits for the first.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { locked } from "./lock.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
/** What builds know of one another: the lock, what the compiler remembers of the last build, what it has written and is not in its place yet, and bundles. */
const building = join(dist, ".build");
const [lock, remembered, fresh, bundles, bundled] = ["lock", "tsbuildinfo", "new", "bundles", "bundled"].map((name) => join(building, name));
/** What is made of sources for browsers: the package, and the page of examples/web. */
const [packaged, page] = ["browser", "web"].map((name) => join(dist, name));

const json = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));

/** Whether a package lies there in that version. */
const there = (path, version) => {
  try {
    return json(join(path, "package.json")).version === version;
  } catch {
    return false;
  }
};

/** Deno lays node_modules out in its own way, with links; Node reads that, and npm cannot mend it. */
const ofDeno = existsSync(join(root, "node_modules", ".deno"));

/** Packages that are not installed in the version of the lock file of whoever installed them; those for other platforms may be missing. */
const missing = () => {
  if (ofDeno) {
    // "npm:io-ts@^2.2.22": "2.2.22_fp-ts@2.16.11"
    const versions = new Map(Object.entries(json("deno.lock").specifiers).map(([npm, version]) => [npm.slice(4, npm.lastIndexOf("@")), version.split("_")[0]]));
    const { dependencies, devDependencies } = json("package.json");
    return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !there(`node_modules/${name}`, versions.get(name)));
  }
  return Object.entries(json("package-lock.json").packages).filter(
    ([path, { version, optional }]) => path !== "" && !(optional && !existsSync(join(root, path))) && !there(path, version),
  );
};

/** A step that has failed, and has said why. */
class Failed extends Error {}

const run = (what, command, args, options) => {
  const { status, error, stdout } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", 2], encoding: "utf8", ...options });
  if (stdout) process.stderr.write(stdout);
  if (status !== 0) throw new Failed(`${what} failed${error ? `: ${error.message}` : ""}\n`);
};

/** Whether there are a file's bytes already. */
const same = (file, place) => existsSync(place) && readFileSync(file).equals(readFileSync(place));

/** Puts every file of a folder in its place in another, by name: whoever reads there meets a whole file. */
const moveIn = (from, to) => {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [file, place] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) moveIn(file, place);
    else if (!same(file, place)) renameSync(file, place);
  }
};

/** Removes files of a folder that have nothing in another that they could be made of. */
const prune = (folder, source, sourceOf) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if ([building, packaged, page].includes(path)) continue;
    if (entry.isDirectory()) prune(path, join(source, entry.name), sourceOf);
    else if (!existsSync(join(source, sourceOf(entry.name)))) rmSync(path);
  }
};

const install = () => {
  process.stderr.write("Installing the packages of package-lock.json …\n");
  const npm = process.env.npm_execpath;
  // No package here needs an install script.
  const args = [ofDeno ? "ci" : "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--include=dev", "--no-save"];
  if (npm) run("npm install", process.execPath, [npm, ...args]);
  else run("npm install", "npm", args, { shell: process.platform === "win32" });
};

/** Whether all that the compiler remembers to have written is there. */
const complete = () => {
  try {
    const sources = JSON.parse(readFileSync(remembered, "utf8")).fileNames.filter((name) => /^(?!.*node_modules).*(?<!\.d)\.ts$/.test(name));
    return sources.every((name) => existsSync(join(dist, relative(root, join(building, name.replace(/\.ts$/, ".js"))))));
  } catch {
    return false;
  }
};

/** Compiles what has changed since the last build, beside `dist`, and moves it in; of sources with errors nothing. */
const compile = () => {
  mkdirSync(fresh, { recursive: true });
  // The compiler may remember what a build that was killed did not move in, or what was removed since.
  if (readdirSync(fresh).length > 0 || !complete()) for (const path of [fresh, remembered]) rmSync(path, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const incremental = ["--incremental", "--tsBuildInfoFile", remembered, "--outDir", fresh, "--noEmitOnError"];
  try {
    run("The compiler", process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.json", ...incremental]);
  } catch (error) {
    if (readdirSync(fresh).length === 0) rmdirSync(fresh);
    throw error;
  }
  moveIn(fresh, dist);
  // A deleted test must not run on.
  prune(dist, root, (name) => name.replace(/(\.d\.ts|\.js)$/, ".ts"));
  rmSync(fresh, { recursive: true });
};

/** What the compiler of the sources does not see, since it has the types of a browser. */
const forBrowsersAlone = join("src", "platform", "web");

/** Makes the package for browsers where something of it may have changed: the compiler remembers a digest of every source but these. */
const bundle = () => {
  if (!existsSync(join(root, "mod.ts"))) return;
  const hash = createHash("sha256");
  const alone = readdirSync(join(root, forBrowsersAlone))
    .sort()
    .map((name) => join(forBrowsersAlone, name));
  for (const path of [remembered, ...[".ci/browser.mjs", ".ci/bundles.mjs", "package-lock.json", ...alone].map((name) => join(root, name))])
    hash.update(readFileSync(path));
  const state = hash.digest("hex");
  rmSync(bundles, { recursive: true, force: true });
  if (existsSync(packaged) && existsSync(bundled) && readFileSync(bundled, "utf8") === state) return;
  run("esbuild", process.execPath, [join(".ci", "bundles.mjs"), bundles]);
  if (existsSync(packaged)) prune(packaged, bundles, (name) => name);
  moveIn(bundles, packaged);
  rmSync(bundles, { recursive: true });
  writeFileSync(bundled, state);
};

mkdirSync(building, { recursive: true });
try {
  locked(lock, () => {
    // `--no-install`: what packs the project must not change its packages under a program that runs on them.
    if (!process.argv.includes("--no-install") && missing().length > 0) install();
    run("wgsl/generate.mjs", process.execPath, ["wgsl/generate.mjs"]);
    compile();
    bundle();
  });
} catch (error) {
  if (!(error instanceof Failed)) throw error;
  process.stderr.write(error.message);
  process.exit(1);
}
