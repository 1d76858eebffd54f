/** A run in a browser whose model and data come from the server and lie in the browser's own storage. */
import type { Either } from "fp-ts/lib/Either.js";
import type { GPUDevice } from "../../../src/platform/webgpu.ts";
import { describe, get, type Failure } from "../../../src/failure.ts";
import { web } from "../../../src/platform/web/web.ts";
import type { Platform } from "../../../src/platform/platform.ts";
import type { Job } from "../../../src/runs/job.ts";
import type { Outcome } from "../../../src/runs/outcome.ts";
import { resume, runJob } from "../../../src/runs/runJob.ts";
import type { Came } from "./came.ts";

const came = (ended: Either<Failure, Outcome>): Came => {
  if (ended._tag === "Left") return { failed: describe(ended.left) };
  const { interrupted, result, learner } = ended.right;
  return { interrupted, matrix: result.matrix, weights: [...learner.model.weights.values()].flatMap(({ data }) => [...data]) };
};

/** Copies files of the server into the browser's storage, under the same names. */
export const furnish = async (paths: readonly string[]): Promise<void> => {
  for (const path of paths) await get(web.files.write(path, [new Uint8Array(await (await fetch(path)).arrayBuffer())]));
};

/** Runs a job, which is stopped after so many lessons where a number is given. */
export const learn = async (job: Job, lessons = Infinity): Promise<Came> => {
  const signal = { aborted: false };
  return came(
    await runJob(job, {
      signal,
      watch: ({ type, ...event }) => void (type === "lesson" && "position" in event && event.position + 1 >= lessons && (signal.aborted = true)),
    })(),
  );
};

/** Goes on with the run of a folder. */
export const goOn = async (out: string): Promise<Came> => came(await resume(out)());

/** Runs a job whose device is lost at a step. */
export const losing = async (job: Job, at: number): Promise<Came> => {
  let gpu: GPUDevice | undefined;
  const openGpu: Platform["openGpu"] = (request) => async () => {
    const opened = await web.openGpu(request)();
    if (opened._tag === "Right") gpu = opened.right.gpu;
    return opened;
  };
  const watch = (event: { readonly type: string; readonly step?: number; readonly position?: number }): void => {
    if (event.type === "step" && event.position === 1 && event.step === at) gpu?.destroy();
  };
  return came(await runJob(job, { device: { platform: { ...web, openGpu } }, watch })());
};
