/** k-means: assignments never get worse, no cluster is empty, every point is with its nearest mean, and equal draws give equal bits. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { kMeans, lloyd, type Clusters } from "../../src/linalg/kMeans.ts";
import { random } from "../../src/random.ts";
import { gaussian } from "./matrices.ts";

/** Points on a small grid: many are equal, and many distances are. */
const grid = fc
  .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 3 }))
  .chain(([n, d]) =>
    fc.array(fc.integer({ min: -2, max: 2 }), { minLength: n * d, maxLength: n * d }).map((of) => ({ shape: [n, d], data: Float32Array.from(of) })),
  );

type Points = ReturnType<typeof gaussian>;

const squared = ({ shape: [, d], data }: Points, i: number, centres: Float64Array, j: number): number =>
  Array.from({ length: d }, (_, k) => (data[i * d + k] - centres[j * d + k]) ** 2).reduce((a, b) => a + b);

const differentRows = ({ shape: [n, d], data }: Points): number => new Set(Array.from({ length: n }, (_, i) => data.subarray(i * d, (i + 1) * d).join())).size;

/** The laws of clusters after so many iterations that no point moves any more. */
const settled = (points: Points, { centres, of, inertia }: Clusters): void => {
  const [n, d] = points.shape;
  const k = centres.length / d;
  assert.equal([...new Set(of)].sort(), [...Array(k).keys()].sort(), "no cluster is empty");
  for (let j = 0; j < k; j++) {
    const own = [...of.keys()].filter((i) => of[i] === j);
    for (let c = 0; c < d; c++) {
      const mean = own.reduce((sum, i) => sum + points.data[i * d + c], 0) / own.length;
      assert.ok(Math.abs(mean - centres[j * d + c]) < 1e-12, "centres are means");
    }
  }
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const distance = squared(points, i, centres, of[i]);
    for (let j = 0; j < k; j++) assert.ok(distance <= squared(points, i, centres, j) + 1e-12, "every point is with its nearest mean");
    sum += distance;
  }
  assert.ok(Math.abs(sum - inertia) < 1e-9 * (1 + sum));
};

test("as many clusters as are asked for, or as there are different points; each with a point, around its mean", () => {
  fc.assert(
    fc.property(grid, fc.integer({ min: 1, max: 6 }), fc.nat(), (points, k, seed) => {
      const found = kMeans(points, k, random(seed, "clusters"), { starts: 2 });
      assert.is(found.centres.length / points.shape[1], Math.min(k, differentRows(points)));
      settled(points, found);
    }),
  );
});

test("from any start, with as many points: an iteration more is never worse, also where clusters lose all their points", () => {
  fc.assert(
    fc.property(grid, fc.integer({ min: 1, max: 5 }), fc.nat(), (points, wanted, seed) => {
      const [n, d] = points.shape;
      const k = Math.min(wanted, n);
      const draw = random(seed, "start");
      // Often far from all points.
      const start = Float64Array.from({ length: k * d }, () => 3 * draw.normal());
      const inertias = Array.from({ length: 8 }, (_, i) => lloyd(points, start, i).inertia);
      inertias.slice(1).forEach((inertia, i) => assert.ok(inertia <= inertias[i] + 1e-12, `${inertias}`));
      assert.is(new Set(lloyd(points, start, 1).of).size, k);
      if (differentRows(points) >= k) settled(points, lloyd(points, start));
    }),
  );
});

test("clusters that are far apart are found, equal draws give equal bits, and more starts are never worse", () => {
  const noise = gaussian(60, 5, 3);
  const data = noise.data.map((x, i) => 0.1 * x + 10 * (Math.floor(i / 5) % 3));
  const points = { shape: noise.shape, data };
  const found = kMeans(points, 3, random(1, "clusters"));
  for (let i = 0; i < 60; i++) assert.is(found.of[i], found.of[i % 3]);
  assert.is(new Set(found.of).size, 3);
  assert.equal(kMeans(points, 3, random(1, "clusters")), found);
  const loose = gaussian(80, 3, 4);
  const [one, ten] = [1, 10].map((starts) => kMeans(loose, 7, random(2, "clusters"), { starts }).inertia);
  assert.ok(ten <= one);
});

test("one point, and none", () => {
  const one = kMeans({ shape: [1, 2], data: Float32Array.of(3, 4) }, 5, random(1, "one"));
  assert.equal([[...one.centres], [...one.of], one.inertia], [[3, 4], [0], 0]);
  assert.is(kMeans({ shape: [0, 2], data: new Float32Array(0) }, 5, random(1, "none")).centres.length, 0);
});

test.run();
