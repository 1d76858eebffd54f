// Builds and runs the tests whose path holds one of the words, now and after every change: npm run watch -- device
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folders = ["src", "wgsl", "tests", "examples", "bench", "docs"];
// What the build itself writes is no change.
const isSource = (name) => /\.(ts|wgsl)$/.test(name) && name !== "generated.ts";

// A group of its own, so that a test that is under way ends with the round that started it.
const grouped = process.platform !== "win32";

let running;
let timer;

const node = (...args) =>
  new Promise((resolve) => {
    running = spawn(process.execPath, args, { cwd: root, stdio: "inherit", detached: grouped });
    running.on("close", (code, signal) => {
      running = undefined;
      resolve(signal ?? code);
    });
  });

const stop = () => {
  if (running !== undefined) grouped ? process.kill(-running.pid) : running.kill();
};

const round = async () => {
  const built = await node(join(".ci", "setup.mjs"));
  const ended = built === 0 ? await node(join("dist", "tests", "run.js"), ...process.argv.slice(2)) : built;
  // A round that was stopped says nothing: the next one is on its way.
  if (typeof ended === "number") process.stdout.write(`${ended === 0 ? "passed" : "failed"} at ${new Date().toLocaleTimeString()}; waiting for a change\n`);
};

let last = round();

const changed = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    stop();
    last = last.then(round);
  }, 100);
};

for (const folder of folders) watch(join(root, folder), { recursive: true }, (_, name) => name !== null && isSource(name) && changed());

for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    stop();
    process.exit(130);
  });
