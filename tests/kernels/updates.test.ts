import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { checkElements, deviceTest, numbers, reads, runTests, updates, type Operand } from "./check.ts";

const counts = [0, 1, 13, 63, 64, 65, 517];

/** One step of torch's AdamW in float64: [p, m, v]. */
const adamw = (hyper: Float32Array, g: number, p: number, m: number, v: number): readonly [number, number, number] => {
  const [lr, beta1, beta2, eps, decay, correction1, correction2, scale] = hyper;
  const gradient = g * scale;
  const [mean, square] = [beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient ** 2];
  return [p * (1 - lr * decay) - ((lr / correction1) * mean) / (Math.sqrt(square / correction2) + eps), mean, square];
};

deviceTest("adamw", async (device) => {
  for (const count of counts) {
    for (const [t, beta2, decay, scale] of [
      [1, 0.9999, 0, 1],
      [1, 0.999, 0.1, 0.5],
      [100, 0.999, 0.01, 1],
    ]) {
      const hyper = Float32Array.of(1e-3, 0.9, beta2, 1e-8, decay, 1 - 0.9 ** t, 1 - beta2 ** t, scale);
      const [g, p] = [numbers(count, 1), numbers(count, 2, -3, 3)];
      const [m, v] = t === 1 ? [new Float32Array(count), new Float32Array(count)] : [numbers(count, 3, -0.1, 0.1), numbers(count, 4, 0.001, 0.1)];
      // A parameter without a gradient must stay, not become 0 / 0.
      if (t === 1) g.fill(0, 0, 1);
      const after = Array.from(g, (x, i) => adamw(hyper, x, p[i], m[i], v[i]));
      await checkElements(device, count, {
        kernel: "adamw",
        constants: {},
        dims: { count },
        operands: [
          reads(g),
          reads(hyper),
          updates(
            p,
            after.map((s) => s[0]),
            { absolute: 2e-9, relative: 2e-7 },
          ),
          updates(
            m,
            after.map((s) => s[1]),
            { absolute: 1e-8, relative: 3e-7 },
          ),
          updates(
            v,
            after.map((s) => s[2]),
            { relative: 5e-7 },
          ),
        ],
      });
    }
  }
});

/** One step of torch's SGD in float64: [p, m]. */
const sgd = (hyper: Float32Array, g: number, p: number, m: number): readonly [number, number] => {
  const [lr, momentum, decay, scale] = hyper;
  const velocity = momentum * m + g * scale + decay * p;
  return [p - lr * velocity, velocity];
};

/**
 * How far one step of the kernel may be from {@link sgd} of the same f32 numbers: [p, m]. With u = 2^-24, the unit roundoff, every product and every sum that is
 * rounded is off by u times its own size at most, and hands on what its operands were off by:
 *
 *     s = scale g          Δs ≤ u |s|                   no rounding where scale is 1
 *     d = decay p          Δd ≤ u |d|                   where decay is 0, d is
 *     t = d + s            Δt ≤ u |t| + Δd + Δs
 *     b = momentum m       Δb ≤ u |b|
 *     v = b + t            Δv ≤ u |v| + Δb + Δt         the new m
 *     c = lr v             Δc ≤ u |c| + lr Δv
 *     p - c                Δp ≤ u |p - c| + Δc          the new p
 *
 * A driver may contract a product and its sum to one fma, either of the products where a sum has two: that leaves roundings out and adds none, so the bound
 * holds for all that drivers do. It is in proportion to the terms and not to their sum: where momentum and gradient cancel, v is small and as far off as they are
 * large. Products of roundings, 2^-48 and less, are covered by u (1 + 2^-20).
 */
const sgdBound = (hyper: Float32Array, g: number, p: number, m: number): readonly [number, number] => {
  const [lr, momentum, decay, scale] = hyper;
  const u = 2 ** -24 * (1 + 2 ** -20);
  const [s, d, b] = [scale * g, decay * p, momentum * m];
  const [after, v] = sgd(hyper, g, p, m);
  const ofS = scale === 1 ? 0 : u * Math.abs(s);
  const ofT = u * Math.abs(d + s) + u * Math.abs(d) + ofS;
  const ofV = u * Math.abs(v) + u * Math.abs(b) + ofT;
  const ofC = u * Math.abs(lr * v) + lr * ofV;
  return [u * Math.abs(after) + ofC, ofV];
};

deviceTest("sgd", async (device) => {
  for (const count of counts) {
    for (const hyper of [Float32Array.of(0.1, 0, 0, 1), Float32Array.of(0.05, 0.9, 0.1, 0.25)]) {
      const [g, p, m] = [numbers(count, 1), numbers(count, 2, -3, 3), numbers(count, 3)];
      const after = Array.from(g, (x, i) => sgd(hyper, x, p[i], m[i]));
      await checkElements(device, count, {
        kernel: "sgd",
        constants: {},
        dims: { count },
        operands: [
          reads(g),
          reads(hyper),
          updates(
            p,
            after.map((s) => s[0]),
            { absolute: 1e-7, relative: 1e-7 },
          ),
          updates(
            m,
            after.map((s) => s[1]),
            { absolute: 1e-7, relative: 1e-7 },
          ),
        ],
      });
    }
  }
});

/** The authors' three statements (METHODS.md A.3), in float32. */
const code = (g: number, k: number): number => {
  let value = g;
  if (value > k) value = Math.fround(value - k);
  if (value < -k) value = Math.fround(value + k);
  return Math.abs(value) < k ? 0 : value;
};
const paper = (g: number, k: number): number => (Math.abs(g) > k ? Math.fround(g - Math.sign(g) * k) : 0);

deviceTest("soft-threshold, both forms", async (device) => {
  for (const [CODE, shrink] of [
    [true, code],
    [false, paper],
  ] as const) {
    for (const kappa of [0, 0.005, 0.3]) {
      for (const count of counts) {
        const k = Math.fround(kappa);
        const g = numbers(count, 9);
        if (count > 12) g.set([0.012, 0.009, 0.0051, -0.012, 0.0049, -0.009, -0.0049, 0, k, -k, 2 * k, -2 * k]);
        await checkElements(device, count, {
          kernel: "soft-threshold",
          constants: { CODE },
          dims: { count },
          operands: [
            reads(Float32Array.of(kappa)),
            updates(
              g,
              Float64Array.from(g, (x) => shrink(x, k)),
            ),
          ],
        });
        if (kappa === 0)
          assert.equal(
            Float32Array.from(g, (x) => shrink(x, 0)),
            g,
          );
      }
    }
  }
});

deviceTest("soft-threshold, the values of METHODS.md A.3", async (device) => {
  const g = Float32Array.of(0.012, 0.009, 0.0051, -0.012, 0.0049);
  for (const [CODE, after] of [
    [true, [0.007, 0, 0, -0.007, 0]],
    [false, [0.007, 0.004, 0.0001, -0.007, 0]],
  ] as const) {
    await checkElements(device, 5, {
      kernel: "soft-threshold",
      constants: { CODE },
      dims: { count: 5 },
      operands: [reads(Float32Array.of(0.005)), updates(g, after, { absolute: 1e-9 })],
    });
  }
});

deviceTest("where a number is 0 nothing is updated, however large the gradients are; else all is", async (device) => {
  for (const count of counts) {
    const [g, p, m, v] = [numbers(count, 1), numbers(count, 2, -3, 3), numbers(count, 3, -0.1, 0.1), numbers(count, 4, 0.001, 0.1)];
    const ofAdamw = Float32Array.of(1e-3, 0.9, 0.999, 1e-8, 0.1, 0.5, 0.5, 1);
    const ofSgd = Float32Array.of(0.05, 0.5, 0, 1);
    for (const fine of [0, 1]) {
      const gradient = fine === 0 ? g.map((_, i) => [3e38, -3e38, -1][i % 3]) : g;
      const last = reads(Float32Array.of(fine));
      const updated = (before: Float32Array, after: (i: number) => number): Operand =>
        updates(before, fine === 0 ? before : Float64Array.from(before, (_, i) => after(i)), fine === 0 ? {} : { absolute: 2e-7, relative: 5e-7 });
      const byAdamw = [p, m, v].map((before, at) => updated(before, (i) => adamw(ofAdamw, g[i], p[i], m[i], v[i])[at]));
      const bySgd = [p, m].map((before, at) => updated(before, (i) => sgd(ofSgd, g[i], p[i], m[i])[at]));
      const shrunk = updated(g, (i) => paper(g[i], 0.25));
      const given = { constants: { KEEPS: true }, dims: { count } };
      await checkElements(device, count, { kernel: "adamw", ...given, operands: [reads(gradient), reads(ofAdamw), ...byAdamw, last] });
      await checkElements(device, count, { kernel: "sgd", ...given, operands: [reads(gradient), reads(ofSgd), ...bySgd, last] });
      await checkElements(device, count, { kernel: "soft-threshold", ...given, operands: [reads(Float32Array.of(0.25)), shrunk, last] });
    }
  }
});

interface Run {
  readonly name: string;
  readonly options: { readonly betas?: readonly [number, number]; readonly eps?: number; readonly weight_decay: number; readonly momentum?: number };
  readonly lr: readonly number[];
  readonly beta1?: readonly number[];
  readonly parameters: readonly (readonly number[])[];
}

deviceTest("seven steps follow torch", async (device) => {
  const golden = JSON.parse(readFileSync("tests/fixtures/optimizers.json", "utf8")) as {
    readonly initial: readonly number[];
    readonly gradients: readonly (readonly number[])[];
    readonly runs: readonly Run[];
  };
  const count = golden.initial.length;
  for (const { name, options, lr, beta1, parameters } of golden.runs) {
    // Each step starts from the state that float64 gives, rounded, so that a failure names the step and no error of an earlier one is carried on.
    let state = golden.initial.map((p): readonly number[] => [p, 0, 0]);
    for (let step = 0; step < lr.length; step += 1) {
      const rounded = state.map((s) => s.map(Math.fround));
      const column = (of: readonly (readonly number[])[], c: number): Float32Array => Float32Array.from(of, (s) => s[c]);
      const g = Float32Array.from(golden.gradients[step]);
      if (options.betas !== undefined) {
        const [b1, b2] = [beta1?.[step] ?? options.betas[0], options.betas[1]];
        const exact = [lr[step], b1, b2, options.eps ?? 0, options.weight_decay, 1 - b1 ** (step + 1), 1 - b2 ** (step + 1), 1];
        state = state.map((s, i) => adamw(exact as unknown as Float32Array, g[i], s[0], s[1], s[2]));
        state.forEach((s, i) => assert.ok(Math.abs(s[0] - parameters[step][i]) < 1e-9, `${name}: the reference leaves torch`));
        // 1 - beta as f32 knows it: 0.9999 in f32 is 3e-8 off, which is 2e-4 of 1 - beta2, and half of that in the step.
        const off = 4e-8 / (1 - b2);
        await checkElements(device, count, {
          kernel: "adamw",
          constants: {},
          dims: { count },
          operands: [
            reads(g),
            reads(Float32Array.from(exact)),
            updates(column(rounded, 0), parameters[step], { absolute: 1e-7 + lr[step] * off, relative: 3e-7 }),
            updates(
              column(rounded, 1),
              state.map((s) => s[1]),
              { absolute: 6e-7, relative: 3e-7 },
            ),
            updates(
              column(rounded, 2),
              state.map((s) => s[2]),
              { relative: 3e-7 + off },
            ),
          ],
        });
      } else {
        const exact = [lr[step], options.momentum ?? 0, options.weight_decay, 1];
        state = state.map((s, i) => [...sgd(exact as unknown as Float32Array, g[i], s[0], s[1]), 0]);
        state.forEach((s, i) => assert.ok(Math.abs(s[0] - parameters[step][i]) < 1e-9, `${name}: the reference leaves torch`));
        // What the kernel is given is f32, and so is what it is held against: that the references are torch's stands above.
        const hyper = Float32Array.from(exact);
        const given = rounded.map(([p, m], i) => [hyper, g[i], p, m] as const);
        const [after, bounds] = [given.map((all) => sgd(...all)), given.map((all) => sgdBound(...all))];
        const held = (c: 0 | 1): Operand =>
          updates(
            column(rounded, c),
            after.map((s) => s[c]),
            { each: bounds.map((b) => b[c]) },
          );
        await checkElements(device, count, { kernel: "sgd", constants: {}, dims: { count }, operands: [reads(g), reads(hyper), held(0), held(1)] });
      }
    }
  }
});

deviceTest("put writes its rows and no others", async (device) => {
  for (const [b, capacity, length, width, at] of [
    [1, 1, 1, 1, 0],
    [2, 5, 1, 3, 4],
    [3, 7, 5, 13, 2],
    [2, 65, 64, 5, 0],
    // Beyond the capacity: dropped, and never written into the next row of the batch.
    [2, 5, 3, 2, 4],
    [2, 5, 3, 2, 5],
    [2, 4, 0, 3, 1],
  ]) {
    const [x, cache] = [numbers(b * length * width, 1), numbers(b * capacity * width, 2)];
    const after = Float32Array.from(cache, (old, e) => {
      const [row, column] = [Math.floor(e / width), e % width];
      const i = (row % capacity) - at;
      return i >= 0 && i < length ? x[(Math.floor(row / capacity) * length + i) * width + column] : old;
    });
    const rows = b * capacity;
    const operands = [reads(x), reads(Uint32Array.of(at)), updates(cache, after)];
    if (length > 0)
      await checkElements(device, x.length, { kernel: "put", constants: {}, dims: { count: x.length, width, length, capacity, first: 0, rows }, operands });
  }
});

deviceTest("put in a window of a cache", async (device) => {
  const [width, length, capacity, first, rows] = [2, 3, 5, 4, 3];
  const x = numbers(2 * length * width, 1);
  const cache = numbers(rows * width, 2);
  // Rows 3 to 5 of each batch: of these, row 4 of the first and row 0 (nothing) and 1 (nothing) of the second lie in the window.
  const after = Float32Array.from(cache, (old, e) => (e < width ? x[width + e] : old));
  const dims = { count: x.length, width, length, capacity, first, rows };
  await checkElements(device, x.length, { kernel: "put", constants: {}, dims, operands: [reads(x), reads(Uint32Array.of(3)), updates(cache, after)] });
});

runTests();
