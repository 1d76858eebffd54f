// A lock for builds, which run before there is any compiled code: a file that names its holder by machine and process.
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

/** No build takes so many milliseconds: whoever seems to hold the lock for longer has died, and its number went to another process. */
const deadAfter = 600_000;

const machine = hostname().replace(/\s/g, "_");

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch ({ code }) {
    return code === "EPERM";
  }
};

/** Milliseconds since a file was written; 0 where it is gone meanwhile. */
const ageOf = (path) => {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return written === undefined ? 0 : Date.now() - written;
};

const textOf = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** Whether the holder that a lock names has died; a container has process numbers of its own, so of another machine's only the age tells. */
const isDead = (path, text) => {
  const [host, pid] = text.split(" ");
  return ageOf(path) > deadAfter || (pid !== undefined && host === machine && !alive(Number(pid)));
};

/** Makes a file; false where it is there. */
const placed = (path, text) => {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
};

/** Takes a dead lock away, one taker at a time, so that nobody takes away the living one that follows it. */
const takeAway = (path, dead) => {
  const claim = `${path}.claim`;
  if (!placed(claim, dead)) {
    // A claim lasts no time at all; one that does is of a taker that has died.
    if (ageOf(claim) > 10_000) rmSync(claim, { force: true });
    return;
  }
  if (textOf(path) === dead) rmSync(path, { force: true });
  rmSync(claim, { force: true });
};

const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** Does what must not be done twice at once; who comes second waits. The lock is let go when the work ends, well or badly. */
export const locked = (path, work) => {
  const mine = `${machine} ${process.pid} ${Date.now()}`;
  for (let told = false; !placed(path, mine); sleep(50)) {
    const text = textOf(path);
    if (text === undefined) continue;
    if (isDead(path, text)) takeAway(path, text);
    else if (!told && text.includes(" ")) {
      process.stderr.write(`Waiting for another build, process ${text.split(" ")[1]} …\n`);
      told = true;
    }
  }
  try {
    return work();
  } finally {
    if (textOf(path) === mine) rmSync(path, { force: true });
  }
};
