/** A profile as people read it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { profileText } from "../../src/report/profileText.ts";
import type { KernelProfile, Profile } from "../../src/tensor/profile.ts";

const kernel = (i: number, milliseconds: number | null): KernelProfile => ({
  ...{ kernel: `kernel-${i}`, shape: `${i} x 2`, launches: 1000 * i, flops: 1.5e9, bytes: 3 * 2 ** 20, milliseconds },
  ofPeak: milliseconds === null ? null : 0.25,
});

const profile = (kernels: readonly KernelProfile[], timed = true): Profile => ({
  adapter: "an adapter",
  timestamps: timed,
  peak: timed ? { flops: 25.31e9, bytes: 8.4e9 } : null,
  programs: [
    {
      ...{ label: "training", runs: 48, launches: 843, flops: 1.25e12, bytes: 2 ** 31, kernels },
      ...(timed ? { milliseconds: 4.1, elapsed: 6.7, busy: 0.61, ofPeak: 0.3 } : { milliseconds: null, elapsed: null, busy: null, ofPeak: null }),
    },
  ],
});

test("a table of kernels below a line about the program", () => {
  assert.is(
    profileText(profile([kernel(2, 3), kernel(1, 1)]), 200),
    `Profile on an adapter. Its peak: 25.3 GFLOP/s in a square product, 8.40 GB/s in a copy.

training: 48 runs of 843 launches, 4.100 ms a run on the device, 61 % of the 6.700 ms from one to the next; 1.25 TFLOP, 2.0 GiB, 305 TFLOP/s, 30 % of the peak

   ms  share  launches  kernel    shape    FLOP    bytes  of peak
3.000   75 %     2,000  kernel-2  2 x 2  1.50 G  3.0 MiB     25 %
1.000   25 %     1,000  kernel-1  1 x 2  1.50 G  3.0 MiB     25 %`,
  );
});

test("what is beyond twenty rows is summed up", () => {
  const lines = profileText(profile(Array.from({ length: 25 }, (_, i) => kernel(i + 1, 1)))).split("\n");
  assert.match(lines[lines.length - 1], /^5\.000 +20 % +115,000 +5 more +7\.50 G +15\.0 MiB +–$/);
  assert.is(lines.length, lines.findIndex((line) => line.startsWith("   ms")) + 22);
});

test("lines fit a terminal: sentences are broken, and shapes lose their middle", () => {
  const long = { ...kernel(1, 1), shape: "12608 x 3072 x 768, NT rank 16 bias epilogue" };
  const lines = profileText(profile([long]), 80).split("\n");
  assert.equal(
    lines.filter((line) => [...line].length > 80),
    [],
  );
  assert.ok(
    lines.some((line) => /12608.*….*epilogue/.test(line)),
    lines.join("\n"),
  );
});

test("a share above the peak is explained, and one that a measurement may be off is not", () => {
  const reached = (ofPeak: number): string => profileText(profile([{ ...kernel(1, 1), ofPeak }]), 400).split("\n")[0];
  assert.not.match(reached(1.05), /More than that/);
  assert.match(reached(1.5), /in a copy\. More than that was reached: .* measured while the machine was busy \(docs\/SPEED\.md/);
});

test("without timestamps it says so", () => {
  const text = profileText(profile([kernel(1, null)], false));
  assert.match(text, /no timestamp queries, so nothing is timed/);
  assert.match(text, /training: 48 runs of 843 launches; 1\.25 TFLOP, 2\.0 GiB\n/);
  assert.match(text, /– +– +1,000 +kernel-1/);
});

test.run();
