// The gradient of softmax.wgsl: dx = scale * p (dp - sum(p dp)) for every row of probabilities p.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            CAUSAL makes row r the query q = r % queries of an attention map: columns after q are not read, and are 0 in dx.
// Bindings:  0 Dims {rows, width, queries, scale}; 1 p [rows, width]; 2 dp [rows, width]; 3 dx [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, queries: u32, scale: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> dp: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
//#if CAUSAL
  let end = min(row % dims.queries + 1u, dims.width);
//#else
  let end = dims.width;
//#end

  var dot = 0.0;
  for (var c = lane; c < end; c += lanes) { dot = fma(p[base + c], dp[base + c], dot); }
  dot = total(lane, dot);

  for (var c = lane; c < end; c += lanes) { dx[base + c] = dims.scale * p[base + c] * (dp[base + c] - dot); }
//#if CAUSAL
  for (var c = end + lane; c < dims.width; c += lanes) { dx[base + c] = 0.0; }
//#end
}
