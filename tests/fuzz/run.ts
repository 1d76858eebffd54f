/**
 * The properties of `fuzz.test.ts` for as long as one likes: `npm run fuzz -- --minutes 10`, with `--seed N` to go the same way again and with words that
 * choose properties by their names. Every round prints its seed.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { fuzzed } from "./properties.ts";

const { values, positionals } = parseArgs({ options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } }, allowPositionals: true });
const until = performance.now() + 60_000 * Number(values.minutes);
const chosen = fuzzed.filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
const properties = await Promise.all(chosen.map(async ({ name, property }) => ({ name, property: await property() })));

const runs = 500;
let seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
let rounds = 0;
let failed = 0;
while (rounds === 0 || performance.now() < until) {
  for (const { name, property } of properties) {
    const details = await fc.check(property, { seed, numRuns: runs });
    if (!details.failed) continue;
    failed++;
    process.stdout.write(`${name}, seed ${seed}:\n${fc.defaultReportMessage(details)}\n`);
  }
  rounds++;
  process.stdout.write(`round ${rounds}, seed ${seed}: ${properties.length * runs} inputs, ${failed} failures so far\n`);
  seed = (seed + 1) % 2 ** 31;
}
process.exitCode = failed > 0 || properties.length === 0 || !Number.isFinite(until) ? 1 : 0;
