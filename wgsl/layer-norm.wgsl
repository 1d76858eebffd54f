// y = (x - mean) / sqrt(variance + eps) * gain + bias for every row. The variance takes a second pass over the row: E[x^2] - mean^2 cancels.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width, eps}; 1 x [rows, width]; 2 gain [width]; 3 bias [width]; 4 y [rows, width];
//            5 stats [rows, 2] = mean, 1 / sqrt(variance + eps).
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, eps: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gain: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;

//#if GROUP
const lanes = 64u;
var<workgroup> shares: array<f32, 64>;

// The sum of one value of every lane, by halves, for every lane to see.
fn total(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  shares[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
  return shares[0];
}
//#else
const lanes = 1u;
fn total(lane: u32, value: f32) -> f32 { return value; }
//#end

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u,
) {
//#if GROUP
  let row = group.x + group.y * groups.x;
  let lane = local;
//#else
  let row = id.x + id.y * (groups.x * 64u);
  let lane = 0u;
//#end
  if (row >= dims.rows) { return; }
  let base = row * dims.width;
  let n = f32(dims.width);

  var sum = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { sum += x[base + c]; }
  let mean = total(lane, sum) / n;

  var squares = 0.0;
  for (var c = lane; c < dims.width; c += lanes) {
    let d = x[base + c] - mean;
    squares = fma(d, d, squares);
  }
  let rstd = 1.0 / sqrt(total(lane, squares) / n + dims.eps);

  for (var c = lane; c < dims.width; c += lanes) {
    y[base + c] = fma((x[base + c] - mean) * rstd, gain[c], bias[c]);
  }
  if (lane == 0u) {
    stats[2u * row] = mean;
    stats[2u * row + 1u] = rstd;
  }
}
