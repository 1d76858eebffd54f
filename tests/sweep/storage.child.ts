/** A worker in a process of its own: runs the jobs of the sweep in the first argument, whose folders are at the second, in the folder that is the third. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { get } from "../../src/failure.ts";
import { here } from "../../src/sweep/here.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import { readSweep } from "../../src/sweep/readSweep.ts";
import { openStorage } from "../../src/sweep/stored.ts";
import { pieceOf, work } from "../../src/sweep/work.ts";

const [file, endpoint, scratch] = process.argv.slice(2);
const jobs = jobsOf(await get(readSweep(file)));
const storage = await get(openStorage("s3://lab/sweep", { endpoint }));
const queue = here();
await get(queue.put(E.isRight(jobs) ? jobs.right.map(pieceOf) : []));
await get(work(queue, { until: "empty", carrying: { storage, scratch } }));
