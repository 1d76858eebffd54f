/** Rows in the place of others: against f64, with its gradients; and a table whose first row has another index than 0. */
import { gather, scatterAdd } from "../../src/tensor/ops/embedding.ts";
import { replaceRows } from "../../src/tensor/ops/replaceRows.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { checkOp, deviceTest, numbers, runTests, wholes } from "./check.ts";

const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

const cases = [
  [1, 1, [1]],
  [0, 3, [5]],
  [3, 5, [0]],
  [7, 3, [2, 13]],
  [65, 9, [129]],
  [5, 64, [3, 2, 2]],
] as const;

for (const [n, width, entries] of cases) {
  deviceTest(`replaceRows: ${n} rows of ${width} in the places [${entries}]`, async (device) => {
    const picks = wholes(entries, 3, n + 1);
    await checkOp(device, "replaceRows", {
      inputs: { x: numbers([...entries, width], 1), rows: numbers([n, width], 2), picks },
      op: ({ x, rows, picks: p }) => replaceRows(x, rows, p),
      reference: ({ x, rows }) =>
        Float64Array.from([...picks.data].flatMap((k, i) => range(width).map((c) => (k === 0 ? x[i * width + c] : rows[(k - 1) * width + c])))),
    });
  });
}

for (const [rows, width, entries, base] of [
  [1, 1, [3], 1],
  [7, 3, [2, 13], 2],
  [65, 9, [129], 64],
] as const) {
  const index = wholes(entries, 3, rows + base + 1);
  const inside = (i: number): boolean => index.data[i] >= base && index.data[i] < base + rows;
  deviceTest(`gather and scatterAdd: ${rows} rows of ${width} from ${base} on`, async (device) => {
    await checkOp(device, "gather", {
      inputs: { table: numbers([rows, width], 1), index },
      op: ({ table, index: i }: Readonly<Record<string, Tensor>>) => gather(table, i, base),
      reference: ({ table }) => Float64Array.from([...index.data].flatMap((r, i) => range(width).map((c) => (inside(i) ? table[(r - base) * width + c] : 0)))),
    });
    await checkOp(device, "scatterAdd", {
      inputs: { dy: numbers([...entries, width], 1), index },
      op: ({ dy, index: i }) => scatterAdd(dy, i, rows, base),
      reference: ({ dy }) => {
        const out = new Float64Array(rows * width);
        index.data.forEach((r, i) => range(width).forEach((c) => void (inside(i) && (out[(r - base) * width + c] += dy[i * width + c]))));
        return out;
      },
    });
  });
}

runTests();
