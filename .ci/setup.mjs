// Makes `npm start` and its siblings one command in a bare clone: installs what package-lock.json names if it is not there, writes
// wgsl/generated.ts, compiles to dist/. Says nothing on stdout, and nothing at all where there is nothing to do.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

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

const run = (what, command, args, options) => {
  const { status, error, stdout } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "pipe", 2], encoding: "utf8", ...options });
  if (stdout) process.stderr.write(stdout);
  if (status === 0) return;
  process.stderr.write(`${what} failed${error ? `: ${error.message}` : ""}\n`);
  process.exit(1);
};

/** Compiled files whose source is gone: a deleted test must not run on. */
const prune = (dist, source) => {
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const path = join(dist, entry.name);
    if (entry.isDirectory()) prune(path, join(source, entry.name));
    else if (!existsSync(join(source, entry.name.replace(/(\.d\.ts|\.js)$/, ".ts")))) rmSync(path);
  }
};

// `--no-install`: what packs the project must not change its packages under a program that runs on them.
if (!process.argv.includes("--no-install") && missing().length > 0) {
  process.stderr.write("Installing the packages of package-lock.json …\n");
  const npm = process.env.npm_execpath;
  // No package here needs an install script.
  const args = [ofDeno ? "ci" : "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--include=dev", "--no-save"];
  if (npm) run("npm install", process.execPath, [npm, ...args]);
  else run("npm install", "npm", args, { shell: process.platform === "win32" });
}
run("wgsl/generate.mjs", process.execPath, ["wgsl/generate.mjs"]);
run("The compiler", process.execPath, [join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.json"]);
prune(join(root, "dist"), root);
