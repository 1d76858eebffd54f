import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Failure } from "../../src/failure.ts";
import { fromBf16, fromF16, toBf16, toF16 } from "../../src/formats/half.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { readModelTensors, readSafetensors, readSafetensorsMetadata, writeSafetensors } from "../../src/formats/safetensors.ts";
import { right } from "../either.ts";

const test = suite("safetensors");
const dir = mkdtempSync(join(tmpdir(), "cambium-safetensors-"));
test.after(() => rmSync(dir, { recursive: true, force: true }));

const tensors = new Map<string, HostTensor>([
  ["weight", { shape: [2, 3], data: Float32Array.from([1, -2, 0.5, 3.25, 1e-3, -65504]) }],
  ["10", { shape: [], data: Float32Array.from([7]) }],
  ["9", { shape: [0, 4], data: new Float32Array(0) }],
  ["__proto__", { shape: [1], data: Float32Array.from([-1]) }],
]);

const file = (header: string | Uint8Array, data = 0, claim?: bigint): Uint8Array => {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, claim ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
};

const read = (bytes: Uint8Array): Promise<E.Either<Failure, ReadonlyMap<string, HostTensor>>> => {
  const path = join(dir, "probe.safetensors");
  writeFileSync(path, bytes);
  return readSafetensors(path)();
};

test("what is written is read back, bit for bit in f32", async () => {
  const path = join(dir, "a.safetensors");
  await get(writeSafetensors(path, tensors, { metadata: { format: "pt" } }));
  const back = await get(readSafetensors(path));
  assert.is(back.size, tensors.size);
  for (const [name, tensor] of tensors) {
    assert.equal(back.get(name)?.shape, tensor.shape);
    assert.equal(back.get(name)?.data, tensor.data);
    assert.is(back.get(name)?.dtype, "F32");
  }
  assert.equal(await get(readSafetensorsMetadata(path)), { format: "pt" });
  const first = readFileSync(path);
  await get(writeSafetensors(path, new Map([...tensors].reverse()), { metadata: { format: "pt" } }));
  assert.ok(first.equals(readFileSync(path)), "the order of the map does not change the bytes");
});

test("f16 and bf16 round to nearest even and come back exactly", async () => {
  for (const [dtype, to, from] of [
    ["f16", toF16, fromF16],
    ["bf16", toBf16, fromBf16],
  ] as const) {
    const path = join(dir, `${dtype}.safetensors`);
    await get(writeSafetensors(path, tensors, { dtype }));
    const back = await get(readSafetensors(path));
    assert.is(back.get("weight")?.dtype, dtype.toUpperCase());
    assert.equal(
      back.get("weight")?.data,
      tensors.get("weight")?.data.map((x) => from(to(x))),
    );
  }
  assert.is(fromF16(toF16(2049)), 2048, "tie to even, down");
  assert.is(fromF16(toF16(2051)), 2052, "tie to even, up");
  assert.is(fromBf16(toBf16(257)), 256);
  assert.is(fromBf16(toBf16(259)), 260);
  assert.is(fromF16(toF16(2 ** -25)), 0, "half of the smallest subnormal ties to zero");
  assert.is(fromF16(toF16(3 * 2 ** -25)), 2 ** -23);
  assert.is(fromF16(toF16(65519)), 65504);
  assert.is(fromF16(toF16(65520)), Infinity);
  assert.ok(Number.isNaN(fromF16(toF16(NaN))) && Number.isNaN(fromBf16(toBf16(NaN))));
  for (let bits = 0; bits < 65536; bits++) {
    if ((bits & 0x7c00) !== 0x7c00 || (bits & 0x3ff) === 0) assert.is(toF16(fromF16(bits)), bits);
    if ((bits & 0x7f80) !== 0x7f80 || (bits & 0x7f) === 0) assert.is(toBf16(fromBf16(bits)), bits);
  }
});

test("f16 rounding is nearest for every f32", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, min: -65000, max: 65000 }), (x) => {
      const y = fromF16(toF16(x));
      const bits = toF16(x) & 0x7fff;
      for (const n of [bits - 1, bits + 1]) {
        if (n >= 0 && n < 0x7c00) assert.ok(Math.abs(y - x) <= Math.abs(Math.sign(x || 1) * fromF16(n) - x));
      }
    }),
  );
});

test("a value that f16 cannot hold, a shape that does not fit: nothing is written", async () => {
  const path = join(dir, "never.safetensors");
  const left = async (map: Map<string, HostTensor>, dtype: "f16" | "f32"): Promise<Failure> => {
    const e = await writeSafetensors(path, map, { dtype })();
    assert.ok(E.isLeft(e));
    return e.left;
  };
  assert.is((await left(new Map([["x", { shape: [1], data: Float32Array.of(70000) }]]), "f16"))._tag, "BadTensor");
  assert.is((await left(new Map([["x", { shape: [2], data: Float32Array.of(1) }]]), "f32"))._tag, "BadTensor");
  assert.not.ok(readdirSync(dir).some((name) => name.includes("never")));
});

const empty = `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["an empty file", new Uint8Array(0), /too few/],
  ["seven bytes", new Uint8Array(7), /too few/],
  ["a header over 100 MB", file("{}", 0, 100_000_001n), /allowed/],
  ["a header length of 2^64-1", file("{}", 0, 0xffffffffffffffffn), /allowed/],
  ["a header longer than the file", file("{}", 0, 3n), /claims 3 bytes/],
  ["a header of length 0", file("", 4), /does not start/],
  ["a header that starts with a space", file(" {}"), /does not start/],
  ["a header with a byte order mark", file("\ufeff{}"), /does not start/],
  ["a header that is not JSON", file('{"a":'), /not JSON/],
  ["a header that is not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), /not JSON in UTF-8/],
  ["metadata that is not strings", file(`{"__metadata__":{"a":1}}`), /__metadata__/],
  ["a tensor without shape", file(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), /tensor a: "shape"/],
  ["an unknown dtype", file(`{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,1]}}`, 1), /tensor a: "dtype"/],
  ["a negative dimension", file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), /tensor a: "shape\[0\]"/],
  ["a fractional dimension", file(`{"a":{"dtype":"U8","shape":[0.5],"data_offsets":[0,1]}}`, 1), /tensor a: "shape\[0\]"/],
  ["a size that overflows", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}`, 4), /needs \d{30}/],
  ["a size beyond 2^53", file(`{"a":{"dtype":"U8","shape":[1e300],"data_offsets":[0,1]}}`, 1), /"shape\[0\]"/],
  ["too few bytes for the shape", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), /needs 8 bytes and has 4/],
  ["offsets in the wrong order", file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}}`, 1), /hole or an overlap/],
  ["a hole at the start", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), /hole or an overlap/],
  ["a hole between", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), /hole/],
  ["an overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), /overlap/],
  ["a truncated file", file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 3), /ends early/],
  ["bytes after the last tensor", file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 5), /1 bytes follow/],
  ["a name twice", file(`{"a":${empty},"\\u0061":${empty}}`), /"a" twice/],
  ["a dtype twice", file(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), /"dtype" twice/],
];

for (const [name, bytes, expected] of refused) {
  test(`refuses ${name}`, async () => {
    const e = await read(bytes);
    assert.ok(E.isLeft(e) && e.left._tag === "FileCorrupt", "refused as corrupt");
    assert.match(describe(e.left), expected);
    assert.match(describe(e.left), /at byte \d+/);
  });
}

test("the same key in two objects, or inside a string, is no duplicate", async () => {
  const ok =
    `{"__metadata__":{"a":"{\\"x\\":1,\\"x\\":2}"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},` +
    `"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`;
  assert.is(right(await read(file(ok, 1))).size, 2);
});

test("integers and f64 are converted, unaligned data is read", async () => {
  const data = new Uint8Array(8 + 8 + 1);
  new DataView(data.buffer).setFloat64(1, 0.1, true);
  new DataView(data.buffer).setBigInt64(9, -5n, true);
  const header =
    `{"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"d":{"dtype":"F64","shape":[1],"data_offsets":[1,9]},` +
    `"i":{"dtype":"I64","shape":[1],"data_offsets":[9,17]}}`;
  const bytes = file(header, data.length);
  bytes.set(data, bytes.length - data.length);
  const back = right(await read(bytes));
  assert.is(back.get("d")?.data[0], Math.fround(0.1));
  assert.is(back.get("i")?.data[0], -5);
});

test("a file with mutated bytes is read or refused, never more", async () => {
  const path = join(dir, "whole.safetensors");
  await get(writeSafetensors(path, tensors, { metadata: { a: "b" } }));
  const whole = readFileSync(path);
  const mutation = fc.record({
    edits: fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
    cut: fc.option(fc.nat(whole.length)),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ edits, cut }) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      const e = await read(bytes.subarray(0, cut ?? bytes.length));
      if (E.isLeft(e)) assert.is(e.left._tag, "FileCorrupt");
      else assert.ok([...e.right.values()].reduce((sum, x) => sum + x.data.length, 0) <= bytes.length);
    }),
    { numRuns: 400 },
  );
});

test("a missing file and a folder are named", async () => {
  for (const path of [join(dir, "missing.safetensors"), dir]) {
    const e = await readSafetensors(path)();
    assert.ok(E.isLeft(e) && e.left._tag === "FileUnreadable" && e.left.path === path);
  }
});

test("a sharded model is read as one, and its index is not believed blindly", async () => {
  const shard = (i: number): string => `model-0000${i}-of-00002.safetensors`;
  await get(writeSafetensors(join(dir, shard(1)), new Map([["a", { shape: [1], data: Float32Array.of(1) }]])));
  await get(writeSafetensors(join(dir, shard(2)), new Map([["b", { shape: [1], data: Float32Array.of(2) }]])));
  const index = join(dir, "model.safetensors.index.json");
  const write = (map: unknown): void => writeFileSync(index, JSON.stringify({ metadata: { total_size: 8 }, weight_map: map }));
  write({ a: shard(1), b: shard(2) });
  assert.equal([...(await get(readModelTensors(dir))).keys()].sort(), ["a", "b"]);
  write({ a: shard(1), b: shard(1) });
  const missing = await readSafetensors(index)();
  assert.ok(E.isLeft(missing) && missing.left._tag === "BadTensor" && missing.left.tensor === "b");
  write({ a: `../${shard(1)}` });
  const outside = await readSafetensors(index)();
  assert.ok(E.isLeft(outside) && outside.left._tag === "BadConfig");
  write(7);
  assert.ok(E.isLeft(await readSafetensors(index)()));
});

const python = (code: string): string | undefined => {
  try {
    return execFileSync("python3", ["-c", code], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
};

const reference = python("import safetensors.numpy, numpy") === undefined ? test.skip : test;
reference("the reference implementation reads our file, and we read its", async () => {
  const ours = join(dir, "ours.safetensors");
  const theirs = join(dir, "theirs.safetensors");
  await get(writeSafetensors(ours, tensors, { dtype: "f16", metadata: { format: "np" } }));
  const out = python(`
import numpy as np
from safetensors.numpy import load_file, save_file
x = load_file(${JSON.stringify(ours)})
w, h, n = np.arange(6, dtype=np.float64).reshape(2, 3) / 3, np.array([1/3], np.float16), np.array([3], np.int64)
save_file({"w": w, "h": h, "n": n}, ${JSON.stringify(theirs)})
print(x["weight"].dtype, x["weight"].shape, x["weight"].astype(float).tolist())`);
  assert.is(out?.trim(), `float16 (2, 3) [[1.0, -2.0, 0.5], [3.25, ${fromF16(toF16(1e-3))}, -65504.0]]`);
  const back = await get(readSafetensors(theirs));
  assert.equal(
    back.get("w")?.data,
    Float32Array.from([0, 1, 2, 3, 4, 5], (x) => x / 3),
  );
  assert.is(back.get("h")?.data[0], fromF16(toF16(1 / 3)));
  assert.is(back.get("n")?.data[0], 3);
});

test.run();
