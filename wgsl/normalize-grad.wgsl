// The gradient of normalize.wgsl: dx = (dy - y (y . dy)) / norm for every row; 0 for a row of zeros, which has none.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 dy [rows, width]; 2 y [rows, width]; 3 norm [rows]; 4 dx [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> norm: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;

  var dot = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { dot = fma(y[base + c], dy[base + c], dot); }
  dot = total(lane, dot);

  var inverse = 0.0;
  if (norm[row] > 0.0) { inverse = 1.0 / norm[row]; }
  for (var c = lane; c < dims.width; c += lanes) { dx[base + c] = fma(-y[base + c], dot, dy[base + c]) * inverse; }
}
