import { test } from "uvu";
import * as assert from "uvu/assert";
import { dimsBytes, writeDims } from "../../src/kernels/dims.ts";

const words = (bytes: number): DataView => new DataView(new ArrayBuffer(bytes));

test("words stand in the order of the struct, whatever order they are given in, each of its type", () => {
  const view = words(32);
  writeDims(view, 0, "layer-norm", { eps: 1e-5, width: 3, rows: 7 });
  assert.is(view.getUint32(0, true), 7);
  assert.is(view.getUint32(4, true), 3);
  assert.is(view.getFloat32(8, true), Math.fround(1e-5));
  writeDims(view, 0, "window", { count: 2 ** 32 - 1, inner: 1, to: 2, length: 3, shift: -4 });
  assert.is(view.getUint32(0, true), 2 ** 32 - 1);
  assert.is(view.getInt32(16, true), -4);
});

test("at an offset, and nothing beside it", () => {
  const view = words(32);
  writeDims(view, 16, "fill", { count: 5, value: 2 });
  assert.equal([...new Uint32Array(view.buffer)], [0, 0, 0, 0, 5, 0x40000000, 0, 0]);
});

test("a uniform is a multiple of 16 bytes long", () => {
  assert.equal([dimsBytes("adamw"), dimsBytes("softmax"), dimsBytes("cross-entropy"), dimsBytes("elementwise")], [16, 32, 16, 144]);
});

test.run();
