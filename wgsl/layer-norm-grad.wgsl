// The gradient of layer-norm.wgsl for its input: with h = dy * gain and the normalised row z = (x - mean) rstd,
//     dx = rstd (h - mean(h) - z mean(h z)).
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 dy [rows, width]; 2 x [rows, width]; 3 stats [rows, 2] = mean, rstd; 4 gain [width]; 5 dx [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> gain: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

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
  let mean = stats[2u * row];
  let rstd = stats[2u * row + 1u];

  var sum = 0.0;
  var dot = 0.0;
  for (var c = lane; c < dims.width; c += lanes) {
    let h = dy[base + c] * gain[c];
    sum += h;
    dot = fma(h, (x[base + c] - mean) * rstd, dot);
  }
  let meanH = total(lane, sum) / n;
  let meanHz = total(lane, dot) / n;

  for (var c = lane; c < dims.width; c += lanes) {
    let h = dy[base + c] * gain[c];
    let z = (x[base + c] - mean) * rstd;
    dx[base + c] = rstd * fma(-z, meanHz, h - meanH);
  }
}
