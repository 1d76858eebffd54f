/** A run in the storage of a browser, which goes on whenever its worker was killed. */
import { describe, get } from "../../../src/failure.ts";
import type { Job } from "../../../src/runs/job.ts";
import { readLearner } from "../../../src/runs/checkpoint.ts";
import { newest, readTraining } from "../../../src/runs/runFolder.ts";
import { readJob } from "../../../src/runs/runOf.ts";
import { resume, runJob } from "../../../src/runs/runJob.ts";
import { files } from "../../../src/platform/web/files.ts";
import { writeTinyClip } from "../../fixtures/tinyClip.ts";
import type { Call } from "./worker.ts";

const put = (path: string, bytes: Uint8Array): Promise<void> => get(files.write(path, [bytes]));

/** A PNG of one colour. */
const png = async (red: number, green: number): Promise<Uint8Array> => {
  const canvas = new OffscreenCanvas(16, 16);
  const context = canvas.getContext("2d")!;
  context.fillStyle = `rgb(${red} ${green} 9)`;
  context.fillRect(0, 0, 16, 16);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
};

/** Writes a tiny model and two datasets of two colours each. */
export const furnish = async (): Promise<void> => {
  const tokenizer = "tests/fixtures/tokenizer";
  for (const name of ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"])
    await put(`/${tokenizer}/${name}`, new Uint8Array(await (await fetch(`/${tokenizer}/${name}`)).arrayBuffer()));
  await writeTinyClip("/model");
  for (const [name, colours] of Object.entries({ red: [240, 30], blue: [120, 180] }))
    for (const [c, folder] of ["ant", "bee"].entries())
      for (let i = 0; i < 5; i++) await put(`/data/${name}/${i < 3 ? "train" : "test"}/${folder}/${i}.png`, await png(colours[c], 20 * i));
};

const job = (out: string): Job => ({
  version: 1,
  model: "/model",
  source: { folders: ["/data/red", "/data/blue"] },
  method: { name: "keeplora", options: { steps: 12, batch: 4, rank: 2 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  labelSpace: "union",
  checkpointSteps: 2,
  predictions: true,
  saveAdapters: true,
  out,
});

/** Runs the job, or goes on with it: `ended`, or why not. */
export const go = async (out: string): Promise<string> => {
  const begun = await files.exists(`${out}/job.json`)();
  const ended = await (begun ? resume(out) : runJob(job(out)))();
  return ended._tag === "Right" ? "ended" : describe(ended.left);
};

/** Lets a worker go on with a run, and kills it after so many milliseconds; `killed` where it had not ended by then. */
export const goAndKill = (out: string, milliseconds: number): Promise<string> =>
  new Promise((resolve) => {
    const worker = new Worker("/modules/tests/browser/pages/worker.js", { type: "module" });
    const end = (how: string): void => {
      worker.terminate();
      resolve(how);
    };
    worker.onmessage = ({ data }) => end(data.value ?? data.error);
    setTimeout(() => end("killed"), milliseconds);
    worker.postMessage({ module: "/modules/tests/browser/pages/killed.js", name: "go", args: [out] } satisfies Call);
  });

/** Reads all that a run has kept. */
export const readKept = async (out: string): Promise<void> => {
  if (!(await files.exists(`${out}/job.json`)())) return;
  const last = await get(newest(await get(readJob(out, files)), files));
  if (last !== undefined) await get(readLearner(last.folder, { files }));
  await get(readTraining(out, files));
};

const filesBelow = async (folder: string): Promise<readonly string[]> => {
  const found = (await get(files.list(folder))).map(async ({ name, kind }) => (kind === "folder" ? filesBelow(`${folder}/${name}`) : [`${folder}/${name}`]));
  return (await Promise.all(found)).flat().sort();
};

/** Every file of a run, with a digest of its bytes; of texts that tell the time or the place, without these. */
export const digests = async (out: string): Promise<readonly string[]> => {
  const told: string[] = [];
  for (const path of await filesBelow(out)) {
    const name = path.slice(out.length);
    const bytes = await get(files.read(path));
    const timeless = new TextEncoder().encode(new TextDecoder().decode(bytes).replace(/"seconds": ?[^,}\n]+/g, ""));
    const isTimeless = /\/(log\.jsonl|result\.json)$/.test(name);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", isTimeless ? timeless : new Uint8Array(bytes)));
    told.push(/\/(job|progress)\.json$|\.html$/.test(name) ? name : `${name} ${digest.slice(0, 8).join(".")}`);
  }
  return told;
};
