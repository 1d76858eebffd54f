import { fromF16, toF16 } from "../../src/formats/half.ts";
import { checkElements, deviceTest, numbers, reads, runTests, sentinel, updates, wholes, writes, writesIndices } from "./check.ts";

/** Every element's index along each axis of a shape, last axis fastest. */
const unravel = (i: number, shape: readonly number[]): readonly number[] => {
  const at: number[] = [];
  for (const d of [...shape].reverse()) {
    at.unshift(i % d);
    i = Math.floor(i / d);
  }
  return at;
};

deviceTest("window slices and pads the middle axis", async (device) => {
  for (const [outer, from, inner, to, shift] of [
    [1, 1, 1, 1, 0],
    [3, 7, 5, 7, 0],
    [3, 7, 5, 3, 2],
    [2, 5, 3, 9, -3],
    [1, 64, 1, 65, -1],
    [1, 65, 1, 64, 1],
    [5, 3, 13, 2, -7],
    [2, 3, 4, 5, 9],
    [0, 3, 4, 2, 1],
    [4, 3, 1, 1, 2],
  ]) {
    const x = numbers(outer * from * inner, 1);
    const shape = [outer, to, inner];
    const count = outer * to * inner;
    const y = Float64Array.from({ length: count }, (_, e) => {
      const [o, i, k] = unravel(e, shape);
      return i + shift >= 0 && i + shift < from ? x[(o * from + i + shift) * inner + k] : 0;
    });
    await checkElements(device, count, {
      kernel: "window",
      constants: {},
      dims: { count, inner, to, length: from, shift },
      operands: [reads(x), writes(y)],
    });
  }
});

deviceTest("patchify lays patches out as the columns of a convolution", async (device) => {
  for (const [batch, channels, height, width, side] of [
    [1, 1, 1, 1, 1],
    [2, 3, 6, 4, 2],
    [1, 3, 8, 8, 8],
    [3, 2, 5, 15, 5],
    [0, 3, 4, 4, 2],
    [2, 1, 7, 3, 1],
  ]) {
    const x = numbers(batch * channels * height * width, 2);
    const shape = [batch, height / side, width / side, channels, side, side];
    const y = Float64Array.from({ length: x.length }, (_, e) => {
      const [b, gy, gx, c, py, px] = unravel(e, shape);
      return x[((b * channels + c) * height + gy * side + py) * width + gx * side + px];
    });
    await checkElements(device, x.length, {
      kernel: "patchify",
      constants: {},
      dims: { count: x.length, channels, height, width, side },
      operands: [reads(x), writes(y)],
    });
  }
});

deviceTest("gather copies the rows of a window", async (device) => {
  for (const [total, width, n] of [
    [1, 1, 1],
    [13, 7, 5],
    [50, 64, 9],
    [50, 65, 63],
    [7, 3, 0],
  ]) {
    const table = numbers(total * width, 3);
    const index = wholes(n, 4, total);
    for (const [first, rows] of [
      [0, total],
      [0, Math.ceil(total / 2)],
      [Math.floor(total / 2), total - Math.floor(total / 2)],
    ]) {
      const window = table.slice(first * width, (first + rows) * width);
      for (const KEEP of [false, true]) {
        const y = Float64Array.from({ length: n * width }, (_, e) => {
          const [i, c] = unravel(e, [n, width]);
          const inside = index[i] >= first && index[i] < first + rows;
          return inside ? table[index[i] * width + c] : KEEP ? Math.fround(sentinel) : 0;
        });
        await checkElements(device, y.length, {
          kernel: "gather",
          constants: { KEEP },
          dims: { count: y.length, width, first, rows },
          operands: [reads(window), reads(index), writes(y)],
        });
      }
    }
  }
});

deviceTest("gather reads a table of f16", async (device) => {
  for (const [total, width, n] of [
    [1, 1, 1],
    [13, 7, 5],
    [50, 64, 63],
  ]) {
    const halves = Uint16Array.from(numbers(total * width, 3), toF16);
    const words = new Uint32Array(Math.ceil(halves.length / 2));
    new Uint16Array(words.buffer).set(halves);
    const index = wholes(n, 4, total);
    const y = Float64Array.from({ length: n * width }, (_, e) => {
      const [i, c] = unravel(e, [n, width]);
      return fromF16(halves[index[i] * width + c]);
    });
    const operands = [reads(words), reads(index), writes(y)];
    await checkElements(device, y.length, { kernel: "gather", constants: { HALF: true }, dims: { count: y.length, width, first: 0, rows: total }, operands });
  }
});

const linksOf = (index: Uint32Array): Uint32Array =>
  index.map((row, i) => {
    const after = index.indexOf(row, i + 1);
    return ((after < 0 ? index.length : after) | (index.indexOf(row) < i ? 0x80000000 : 0)) >>> 0;
  });

const indexSets = [
  new Uint32Array(0),
  Uint32Array.of(3),
  Uint32Array.of(0, 0),
  Uint32Array.of(2, 1, 2, 2, 0, 1),
  wholes(63, 5, 7),
  wholes(65, 6, 64),
  wholes(131, 7, 5),
  new Uint32Array(129).fill(4),
  Uint32Array.from({ length: 67 }, (_, i) => i % 66),
];

deviceTest("links chain equal indices", async (device) => {
  for (const index of indexSets) {
    await checkElements(device, index.length, {
      kernel: "links",
      constants: {},
      dims: { count: index.length },
      operands: [reads(index), writesIndices(linksOf(index))],
    });
  }
});

deviceTest("scatter-add sums chains into a window, and leaves other rows alone", async (device) => {
  const total = 66;
  for (const index of indexSets) {
    for (const width of [1, 5, 65]) {
      const dy = numbers(index.length * width, 8);
      const table = new Float64Array(total * width);
      // Each sum rounded as the kernel rounds it: ascending order, so the result is exact.
      index.forEach((row, i) => {
        for (let c = 0; c < width; c += 1) table[row * width + c] = Math.fround(table[row * width + c] + dy[i * width + c]);
      });
      for (const [first, rows] of [
        [0, total],
        [0, 3],
        [3, total - 3],
        [2, 1],
      ]) {
        await checkElements(device, dy.length, {
          kernel: "scatter-add",
          constants: {},
          dims: { count: dy.length, width, first, rows },
          operands: [
            reads(dy),
            reads(index),
            reads(linksOf(index)),
            updates(new Float32Array(rows * width), table.slice(first * width, (first + rows) * width)),
          ],
        });
      }
    }
  }
});

runTests();
