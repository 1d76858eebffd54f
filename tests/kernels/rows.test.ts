import * as assert from "uvu/assert";
import type { Dims } from "../../src/kernels/dims.ts";
import { foldGroups } from "../../src/kernels/launch.ts";
import type { Device } from "../../src/device/device.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { Constants } from "../../src/kernels/template.ts";
import { checkElements, checkKernel, deviceTest, numbers, reads, rowVariants, runTests, wholes, writes } from "./check.ts";
import type { Operand } from "./check.ts";

/** [rows, width] that hurt: one, primes, one off a workgroup, none. */
const shapes = [
  [1, 1],
  [1, 2],
  [3, 13],
  [7, 63],
  [64, 64],
  [65, 65],
  [63, 7],
  [129, 5],
  [2, 1009],
  [0, 5],
] as const;

/** Checks both variants of a row kernel, and a folded grid. */
const checkRows = async <K extends Kernel>(
  device: Device,
  kernel: K,
  rows: number,
  dims: Dims<K>,
  operands: readonly (Operand | undefined)[],
  constants: Constants = {},
): Promise<void> => {
  for (const { constants: variant, groups } of rowVariants(rows)) {
    const one = { kernel, constants: { ...variant, ...constants }, dims, operands };
    await checkKernel(device, { ...one, grid: foldGroups(groups) });
    if (groups > 1) await checkKernel(device, { ...one, grid: [2, Math.ceil(groups / 2), 1] });
  }
};

const rowsOf = (x: ArrayLike<number>, rows: number, width: number): readonly (readonly number[])[] =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: width }, (_, c) => x[r * width + c]));
const sum = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const dot = (x: readonly number[], y: readonly number[]): number => sum(x.map((v, i) => v * y[i]));

interface Normal {
  readonly y: readonly number[];
  readonly mean: number;
  readonly rstd: number;
}
const layerNorm = (x: readonly number[], eps: number): Normal => {
  const mean = sum(x) / x.length;
  const rstd = 1 / Math.sqrt(sum(x.map((v) => (v - mean) ** 2)) / x.length + eps);
  return { y: x.map((v) => (v - mean) * rstd), mean, rstd };
};

const eps = Math.fround(1e-5);

deviceTest("layer-norm", async (device) => {
  for (const [rows, width] of shapes) {
    // An offset far from zero, which a one-pass variance would not survive.
    for (const offset of [0, 100]) {
      const x = numbers(rows * width, 1, offset - 2, offset + 2);
      const [gain, bias] = [numbers(width, 2, 0.5, 2), numbers(width, 3)];
      const want = rowsOf(x, rows, width).map((r) => layerNorm(r, eps));
      const off = offset === 0 ? 1e-6 : 2e-4;
      await checkRows(device, "layer-norm", rows, { rows, width, eps }, [
        reads(x),
        reads(gain),
        reads(bias),
        writes(
          want.flatMap(({ y }) => y.map((v, c) => v * gain[c] + bias[c])),
          { absolute: width < 3 ? 100 * off : 4 * off, relative: off },
        ),
        writes(
          want.flatMap(({ mean, rstd }) => [mean, rstd]),
          { absolute: 1e-6 + 4e-7 * offset, relative: width < 3 ? 100 * off : off },
        ),
      ]);
    }
  }
});

deviceTest("layer-norm-grad and layer-norm-grad-gain", async (device) => {
  for (const [rows, width] of shapes) {
    const [x, dy, gain] = [numbers(rows * width, 1, -2, 2), numbers(rows * width, 2), numbers(width, 3, 0.5, 2)];
    const want = rowsOf(x, rows, width).map((r) => layerNorm(r, eps));
    const stats = Float32Array.from(want.flatMap(({ mean, rstd }) => [mean, rstd]));
    // The kernel is given rounded statistics: so is the reference.
    const z = rowsOf(x, rows, width).map((r, i) => r.map((v) => (v - stats[2 * i]) * stats[2 * i + 1]));
    const dys = rowsOf(dy, rows, width);
    const dx = z.flatMap((zr, i) => {
      const h = dys[i].map((v, c) => v * gain[c]);
      const [meanH, meanHz] = [sum(h) / width, dot(h, zr) / width];
      return zr.map((v, c) => stats[2 * i + 1] * (h[c] - meanH - v * meanHz));
    });
    const steep = Math.max(1, ...want.map(({ rstd }) => rstd));
    await checkRows(device, "layer-norm-grad", rows, { rows, width, zero: 0 }, [
      reads(dy),
      reads(x),
      reads(stats),
      reads(gain),
      writes(dx, { absolute: 1e-6 * steep }),
    ]);

    for (const chunk of [1, 5, 64]) {
      const chunks = Math.max(1, Math.ceil(rows / chunk));
      const out = Array.from({ length: chunks * width }, (_, i) => {
        const [k, c] = [Math.floor(i / width), i % width];
        return sum(dys.slice(k * chunk, (k + 1) * chunk).map((d, r) => d[c] * z[k * chunk + r][c]));
      });
      await checkElements(device, out.length, {
        kernel: "layer-norm-grad-gain",
        constants: {},
        dims: { rows, width, chunk },
        operands: [reads(dy), reads(x), reads(stats), writes(out, { absolute: 1e-5 })],
      });
    }
  }
});

const softmax = (x: readonly number[], scale: number): readonly number[] => {
  const top = Math.max(...x.map((v) => v * scale));
  const e = x.map((v) => Math.exp(v * scale - top));
  const total = sum(e);
  return e.map((v) => v / total);
};

/** How many columns of row r are read: all, or those up to its query. */
const visible = (r: number, width: number, queries: number, causal: boolean): number => (causal ? Math.min((r % queries) + 1, width) : width);

const attention = [
  [1, 1, 1],
  [5, 5, 5],
  [26, 13, 13],
  [77, 77, 77],
  [129, 65, 65],
  [6, 7, 3],
  [10, 4, 5],
  [0, 5, 5],
  [64, 1009, 64],
] as const;

for (const CAUSAL of [false, true]) {
  deviceTest(`softmax${CAUSAL ? ", causal" : ""}`, async (device) => {
    for (const [rows, width, queries] of attention) {
      // 1000 is what a softmax without the subtraction of the maximum would not survive.
      for (const size of [3, 1000]) {
        const scale = Math.fround(size === 3 ? 0.37 : 1);
        const x = numbers(rows * width, 1, -size, size);
        const y = rowsOf(x, rows, width).flatMap((row, r) => {
          const end = visible(r, width, queries, CAUSAL);
          return [...softmax(row.slice(0, end), scale), ...row.slice(end).map(() => 0)];
        });
        // Masked entries must not be read: the greatest numbers there are would show.
        if (CAUSAL) x.forEach((_, i) => (i % width >= visible(Math.floor(i / width), width, queries, true) ? (x[i] = 3e38) : 0));
        await checkRows(
          device,
          "softmax",
          rows,
          { rows, width, queries, scale, share: 1 },
          [reads(x), writes(y, { absolute: 1e-30, relative: size === 3 ? 3e-6 : 1e-4 })],
          { CAUSAL },
        );
      }
    }
  });

  deviceTest(`softmax-grad${CAUSAL ? ", causal" : ""}`, async (device) => {
    for (const [rows, width, queries] of attention) {
      const scale = Math.fround(0.37);
      const dp = numbers(rows * width, 2);
      const p = Float32Array.from(
        rowsOf(numbers(rows * width, 1, -3, 3), rows, width).flatMap((row, r) => {
          const end = visible(r, width, queries, CAUSAL);
          return [...softmax(row.slice(0, end), scale), ...row.slice(end).map(() => 0)];
        }),
      );
      const [ps, dps] = [rowsOf(p, rows, width), rowsOf(dp, rows, width)];
      const dx = ps.flatMap((row, r) => {
        const mean = dot(row, dps[r]);
        return row.map((v, c) => scale * v * (dps[r][c] - mean));
      });
      if (CAUSAL) dp.forEach((_, i) => (i % width >= visible(Math.floor(i / width), width, queries, true) ? (dp[i] = 3e38) : 0));
      await checkRows(
        device,
        "softmax-grad",
        rows,
        { rows, width, queries, scale, share: 1 },
        [reads(p), reads(dp), writes(dx, { absolute: 2e-7, relative: 1e-6 })],
        {
          CAUSAL,
        },
      );
    }
  });
}

/** [samples, heads, queries, width, at]: padding of no, some and all columns; fewer and more columns than queries. */
const padded = [
  [1, 1, 1, 1, 0],
  [3, 2, 5, 5, 0],
  [2, 3, 1, 17, 9],
  [3, 1, 4, 13, 7],
  [5, 2, 3, 2, 0],
  [2, 1, 65, 65, 0],
  [0, 2, 3, 3, 1],
] as const;

deviceTest("softmax and softmax-grad of padded samples, behind kept keys: what is not seen is not read, a row that sees nothing is 0", async (device) => {
  for (const [samples, heads, queries, width, at] of padded) {
    for (const CAUSAL of [false, true]) {
      const rows = samples * heads * queries;
      const scale = Math.fround(0.37);
      const starts = Uint32Array.from({ length: samples }, (_, b) => [0, 2, width, width + 3, 1][b]);
      const seen = (r: number, c: number): boolean => c >= starts[Math.floor(r / (heads * queries))] && (!CAUSAL || c <= at + (r % queries));
      const hidden = (i: number): boolean => !seen(Math.floor(i / width), i % width);
      const x = numbers(rows * width, 1, -3, 3).map((v, i) => (hidden(i) ? 3e38 : v));
      const masked = (row: readonly number[], r: number): readonly number[] => {
        const kept = softmax(
          row.filter((_, c) => seen(r, c)),
          scale,
        );
        let next = 0;
        return row.map((_, c) => (seen(r, c) ? kept[next++] : 0));
      };
      const y = Float32Array.from(rowsOf(x, rows, width).flatMap(masked));
      const dims = { rows, width, queries, scale, share: heads * queries };
      const masks = [reads(starts), ...(CAUSAL ? [reads(Uint32Array.of(at))] : [])];
      const constants = { CAUSAL, STARTS: true, AT: CAUSAL };
      await checkRows(device, "softmax", rows, dims, [reads(x), writes(y, { absolute: 1e-30, relative: 3e-6 }), undefined, ...masks], constants);

      const dp = numbers(rows * width, 2).map((v, i) => (hidden(i) ? 3e38 : v));
      const dx = rowsOf(y, rows, width).flatMap((row, r) => {
        const mean = sum(row.map((v, c) => (seen(r, c) ? v * dp[r * width + c] : 0)));
        return row.map((v, c) => (seen(r, c) ? scale * v * (dp[r * width + c] - mean) : 0));
      });
      await checkRows(device, "softmax-grad", rows, dims, [reads(y), reads(dp), writes(dx, { absolute: 2e-7, relative: 1e-6 }), ...masks], constants);
    }
  }
});

deviceTest("normalize and normalize-grad", async (device) => {
  for (const [rows, width] of shapes) {
    const [x, dy] = [numbers(rows * width, 1, -3, 3), numbers(rows * width, 2)];
    // A row of zeros between others.
    if (rows > 2) x.fill(0, width, 2 * width);
    const xs = rowsOf(x, rows, width);
    const norm = xs.map((r) => Math.hypot(...r));
    const y = xs.map((r, i) => r.map((v) => (norm[i] === 0 ? 0 : v / norm[i])));
    await checkRows(device, "normalize", rows, { rows, width }, [reads(x), writes(y.flat(), { relative: 2e-6 }), writes(norm, { relative: 2e-6 })]);

    const [y32, norm32] = [Float32Array.from(y.flat()), Float32Array.from(norm)];
    const [ys, dys] = [rowsOf(y32, rows, width), rowsOf(dy, rows, width)];
    const dx = ys.flatMap((row, i) => {
      const along = dot(row, dys[i]);
      return row.map((v, c) => (norm32[i] === 0 ? 0 : (dys[i][c] - v * along) / norm32[i]));
    });
    const steep = Math.max(1, ...norm.map((n) => (n === 0 ? 0 : 1 / n)));
    await checkRows(device, "normalize-grad", rows, { rows, width }, [reads(dy), reads(y32), reads(norm32), writes(dx, { absolute: 1e-6 * steep })]);
  }
});

const logSumExp = (x: readonly number[]): number => {
  const top = Math.max(...x);
  return top + Math.log(sum(x.map((v) => Math.exp(v - top))));
};

deviceTest("cross-entropy and cross-entropy-grad", async (device) => {
  for (const [rows, width] of shapes) {
    for (const size of [3, 100]) {
      const [x, dloss] = [numbers(rows * width, 1, -size, size), numbers(rows, 3)];
      // One hot column, none (costs nothing), several (multi-hot), soft: in turn.
      const t = numbers(rows * width, 2, 0, 1).map((v, i) => {
        const [r, c] = [Math.floor(i / width), i % width];
        return r % 4 === 0 ? Number(c === (7 * r) % width) : r % 4 === 1 ? 0 : r % 4 === 2 ? Number(v > 0.7) : v;
      });
      const [xs, ts] = [rowsOf(x, rows, width), rowsOf(t, rows, width)];
      const lse = xs.map(logSumExp);
      const loss = xs.map((row, r) => sum(row.map((v, c) => ts[r][c] * (lse[r] - v))));
      await checkRows(device, "cross-entropy", rows, { rows, width }, [
        reads(x),
        reads(t),
        writes(loss, { absolute: 1e-6 * size, relative: 3e-6 }),
        writes(lse, { absolute: 2e-6, relative: 1e-6 }),
      ]);

      const lse32 = Float32Array.from(lse);
      const dx = xs.flatMap((row, r) => {
        const mass = sum(ts[r]);
        return row.map((v, c) => dloss[r] * (Math.exp(v - lse32[r]) * mass - ts[r][c]));
      });
      await checkRows(device, "cross-entropy-grad", rows, { rows, width }, [
        reads(x),
        reads(t),
        reads(lse32),
        reads(dloss),
        writes(dx, { absolute: 1e-6, relative: size === 3 ? 4e-6 : 2e-5 }),
      ]);
    }
  }
});

deviceTest("token-log-likelihood and its gradient", async (device) => {
  for (const [rows, width] of shapes) {
    for (const size of [3, 100]) {
      const [x, dy, next] = [numbers(rows * width, 1, -size, size), numbers(rows, 3), wholes(rows, 2, width)];
      const xs = rowsOf(x, rows, width);
      const lse = xs.map(logSumExp);
      await checkRows(device, "token-log-likelihood", rows, { rows, width }, [
        reads(x),
        reads(next),
        writes(
          xs.map((row, r) => row[next[r]] - lse[r]),
          { absolute: 1e-6 * size, relative: 3e-6 },
        ),
        writes(lse, { absolute: 2e-6, relative: 1e-6 }),
      ]);
      const lse32 = Float32Array.from(lse);
      const dx = xs.flatMap((row, r) => row.map((v, c) => dy[r] * (Number(c === next[r]) - Math.exp(v - lse32[r]))));
      await checkElements(device, dx.length, {
        kernel: "token-log-likelihood-grad",
        constants: {},
        dims: { count: dx.length, width },
        operands: [reads(x), reads(next), reads(lse32), reads(dy), writes(dx, { absolute: 1e-6, relative: size === 3 ? 4e-6 : 2e-5 })],
      });
    }
  }
});

deviceTest("token-log-likelihood counts tens of thousands of tokens of which each alone would be rounded away", async (device) => {
  const width = 50_000;
  const x = new Float32Array(width).fill(-17.5);
  x[0] = 0;
  const lse = logSumExp([...x]);
  assert.ok(lse > 1e-3 && Math.fround(1 + Math.exp(-17.5)) === 1);
  await checkRows(device, "token-log-likelihood", 1, { rows: 1, width }, [
    reads(x),
    reads(Uint32Array.of(0)),
    writes([-lse], { absolute: 2e-5 }),
    writes([lse], { absolute: 2e-5 }),
  ]);
});

deviceTest("cross-entropy ignores classes masked with the lowest number", async (device) => {
  const x = Float32Array.of(-3.402823e38, 1, 2, -3.402823e38, 0.5);
  const t = Float32Array.of(0, 1, 0, 0, 0);
  const lse = logSumExp([1, 2, 0.5]);
  await checkRows(device, "cross-entropy", 1, { rows: 1, width: 5 }, [
    reads(x),
    reads(t),
    writes([lse - 1], { absolute: 1e-6 }),
    writes([lse], { absolute: 1e-6 }),
  ]);
  const p = [0, ...[1, 2].map((v) => Math.exp(v - lse)), 0, Math.exp(0.5 - lse)];
  await checkRows(device, "cross-entropy-grad", 1, { rows: 1, width: 5 }, [
    reads(x),
    reads(t),
    reads(Float32Array.of(lse)),
    reads(Float32Array.of(1)),
    writes(
      p.map((v, i) => v - t[i]),
      { absolute: 1e-6 },
    ),
  ]);
});

/** The mask of the k largest by sorting; equal ones by index. */
const topMask = (row: readonly number[], k: number): readonly number[] => {
  const by = row.map((_, i) => i).sort((a, b) => row[b] - row[a] || a - b);
  const chosen = new Set(by.slice(0, k));
  return row.map((_, i) => Number(chosen.has(i)));
};

deviceTest("top-mask", async (device) => {
  for (const [rows, width] of shapes) {
    for (const k of [0, 1, 2, Math.floor(width / 2), width, width + 3]) {
      const random = numbers(rows * width, 1 + k, -3, 3);
      // All different, many equal, all equal.
      for (const x of [random, random.map(Math.round), random.map(() => -1)]) {
        const mask = rowsOf(x, rows, width).flatMap((row) => topMask(row, k));
        await checkElements(device, x.length, { kernel: "top-mask", constants: {}, dims: { count: x.length, width, k }, operands: [reads(x), writes(mask)] });
      }
    }
  }
});

deviceTest("top-mask of zeros of both signs, infinities, numbers below the normal ones, and NaN", async (device) => {
  const x = Float32Array.of(1, -0, 0, -Infinity, 1e-40, -1e-40, 3.4e38, Infinity, NaN, -3.4e38, NaN, 2e-40);
  const order = [8, 10, 7, 6, 0, 11, 4, 1, 2, 5, 9, 3];
  for (let k = 0; k <= x.length; k += 1) {
    const mask = new Float32Array(x.length);
    order.slice(0, k).forEach((i) => (mask[i] = 1));
    const operands = [reads(new Uint32Array(x.buffer)), writes(mask)];
    await checkElements(device, x.length, { kernel: "top-mask", constants: {}, dims: { count: x.length, width: x.length, k }, operands });
  }
});

runTests();
