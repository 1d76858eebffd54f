// The gradient of layer-norm.wgsl for its input: with h = dy * gain and the normalised row z = (x - mean) rstd,
//     dx = rstd (h - mean(h) - z mean(h z)).
//
// Constants: RMS leaves mean(h) out: x had no mean taken from it.
//            ADD adds a tensor like x to that, as it would be added to what is stored: the gradient of a residual.
//            GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            X_HALF says that x is stored as f16, and HALF says so, too.
// Bindings:  0 Dims {rows, width, zero}, zero = 0; 1 dy [rows, width]; 2 x [rows, width]; 3 stats [rows, 2] = mean, rstd; 4 gain [width];
//            5 dx [rows, width]; 6 residual [rows, width], with ADD.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

//#if HALF
enable f16;
//#end

struct Dims { rows: u32, width: u32, zero: u32 }

//#if X_HALF
alias X = f16;
//#else
alias X = f32;
//#end

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<X>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> gain: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
//#if ADD
@group(0) @binding(6) var<storage, read> residual: array<f32>;

//#include kept
//#end

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;
  let n = f32(dims.width);
  let mean = stats[2u * row];
  let rstd = stats[2u * row + 1u];

//#if !RMS
  var sum = 0.0;
//#end
  var dot = 0.0;
  for (var c = lane; c < dims.width; c += lanes) {
    let h = dy[base + c] * gain[c];
//#if !RMS
    sum += h;
//#end
    dot = fma(h, (f32(x[base + c]) - mean) * rstd, dot);
  }
//#if RMS
  let meanH = 0.0;
//#else
  let meanH = total(lane, sum) / n;
//#end
  let meanHz = total(lane, dot) / n;

  for (var c = lane; c < dims.width; c += lanes) {
    let h = dy[base + c] * gain[c];
    let z = (f32(x[base + c]) - mean) * rstd;
    let value = rstd * fma(-z, meanHz, h - meanH);
//#if ADD
    dx[base + c] = residual[base + c] + kept(value);
//#else
    dx[base + c] = value;
//#end
  }
}
