// y[o, i, k] = x[o, i + shift, k] where 0 <= i + shift < length, else 0: a slice of the middle axis, or zeros around it.
//
// Bindings: 0 Dims {count, inner, to, length, shift}; 1 x [outer, length, inner]; 2 y [outer, to, inner]; count = outer to inner.
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of y.
// Bounds:   the stride ends at count.

struct Dims { count: u32, inner: u32, to: u32, length: u32, shift: i32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(e: u32) {
  let line = e / dims.inner;
  let k = e - line * dims.inner;
  let o = line / dims.to;
  let i = i32(line - o * dims.to) + dims.shift;
  var value = 0.0;
  if (i >= 0 && i < i32(dims.length)) { value = x[(o * dims.length + u32(i)) * dims.inner + k]; }
  y[e] = value;
}

//#include elements
