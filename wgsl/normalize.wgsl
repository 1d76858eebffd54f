// y = x / |x| for every row; a row of zeros stays one.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 x [rows, width]; 2 y [rows, width]; 3 norm [rows], the lengths |x|.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> norm: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;

  var squares = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { squares = fma(x[base + c], x[base + c], squares); }
  let length = sqrt(total(lane, squares));

  // The least normal number instead of 0: a row of zeros divides to zeros.
  let divisor = max(length, 1.1754944e-38);
  for (var c = lane; c < dims.width; c += lanes) { y[base + c] = x[base + c] / divisor; }
  if (lane == 0u) { norm[row] = length; }
}
