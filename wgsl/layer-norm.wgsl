// y = (x - mean) / sqrt(variance + eps) * gain + bias for every row. The variance takes a second pass over the row: E[x^2] - mean^2 cancels.
//
// Constants: RMS takes no mean and adds no bias: y = x / sqrt(mean(x^2) + eps) * gain, the root mean square norm.
//            GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            X_HALF and Y_HALF say that x, or y, is stored as f16, and HALF that one of them is.
// Bindings:  0 Dims {rows, width, eps}; 1 x [rows, width]; 2 gain [width]; 3 bias [width], absent with RMS; 4 y [rows, width];
//            5 stats [rows, 2] = mean, 1 / sqrt(variance + eps); with RMS the mean counts as 0.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

//#if HALF
enable f16;
//#end

struct Dims { rows: u32, width: u32, eps: f32 }

//#if X_HALF
alias X = f16;
//#else
alias X = f32;
//#end
//#if Y_HALF
alias Y = f16;
//#else
alias Y = f32;
//#end

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
//#if !RMS
@group(0) @binding(3) var<storage, read> bias: array<f32>;
//#end
@group(0) @binding(4) var<storage, read_write> y: array<Y>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;
  let n = f32(dims.width);

//#if RMS
  let mean = 0.0;
//#else
  var sum = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { sum += f32(x[base + c]); }
  let mean = total(lane, sum) / n;
//#end

  var squares = 0.0;
  for (var c = lane; c < dims.width; c += lanes) {
    let d = f32(x[base + c]) - mean;
    squares = fma(d, d, squares);
  }
  let rstd = 1.0 / sqrt(total(lane, squares) / n + dims.eps);

  for (var c = lane; c < dims.width; c += lanes) {
//#if RMS
    y[base + c] = Y(f32(x[base + c]) * rstd * gain[c]);
//#else
    y[base + c] = Y(fma((f32(x[base + c]) - mean) * rstd, gain[c], bias[c]));
//#end
  }
  if (lane == 0u) {
    stats[2u * row] = mean;
    stats[2u * row + 1u] = rstd;
  }
}
