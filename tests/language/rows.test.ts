/** Rows of tokens as inputs: filled up on either side, each token with the picture that it shows. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { packed } from "../../src/language/rows.ts";

const rows = [
  { ids: [1, 7, 7], picks: [0, 1, 2] },
  { ids: [2], picks: [0] },
  { ids: [7, 3], picks: [3, 0] },
];
const lists = ({ ids, starts, picks }: ReturnType<typeof packed>) => [[...ids], [...starts], [...picks]];
const before = (row: number): number => 10 * row;

test("on the right rows start at 0, on the left behind what fills up; a pick counts the pictures of the rows before", () => {
  assert.equal(lists(packed(rows, 3, { side: "right", length: 3, pad: 9 }, before)), [
    [1, 7, 7, 2, 9, 9, 7, 3, 9],
    [0, 0, 0],
    [0, 1, 2, 0, 0, 0, 23, 0, 0],
  ]);
  assert.equal(lists(packed(rows, 3, { side: "left", length: 4, pad: 9 }, before)), [
    [9, 1, 7, 7, 9, 9, 9, 2, 9, 9, 7, 3],
    [1, 3, 2],
    [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 23, 0],
  ]);
});

test("rows that are not there are filled up whole", () => {
  assert.equal(lists(packed([rows[1]], 2, { side: "right", length: 2, pad: 9 }, before)), [
    [2, 9, 9, 9],
    [0, 0],
    [0, 0, 0, 0],
  ]);
  assert.equal(lists(packed([], 0, { side: "left", length: 2, pad: 9 }, before)), [[], [], []]);
});

test("from its start on every row is itself, on both sides", () => {
  const row = fc.array(fc.nat(8), { maxLength: 5 }).map((ids) => ({ ids, picks: ids.map(() => 0) }));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 4 }), fc.constantFrom("left" as const, "right" as const), (all, side) => {
      const { ids, starts } = packed(all, all.length, { side, length: 6, pad: 9 }, before);
      all.forEach((one, r) => assert.equal([...ids.subarray(r * 6 + starts[r], r * 6 + starts[r] + one.ids.length)], one.ids));
      assert.is(ids.filter((id) => id !== 9).length, all.flatMap((one) => one.ids).length);
    }),
  );
});

test.run();
