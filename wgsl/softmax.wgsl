// y = softmax(scale * x) for every row.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            CAUSAL makes row r the query q = r % queries of an attention map: columns after q are not read, and are 0 in y.
// Bindings:  0 Dims {rows, width, queries, scale}; 1 x [rows, width]; 2 y [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, queries: u32, scale: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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

// The greatest of one value of every lane, likewise.
fn greatest(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  shares[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] = max(shares[lane], shares[lane + half]); }
  }
  workgroupBarrier();
  return shares[0];
}
//#else
const lanes = 1u;
fn total(lane: u32, value: f32) -> f32 { return value; }
fn greatest(lane: u32, value: f32) -> f32 { return value; }
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

  var top = -3.402823e38;
  for (var c = lane; c < end; c += lanes) { top = max(top, dims.scale * x[base + c]); }
  top = greatest(lane, top);

  var sum = 0.0;
  for (var c = lane; c < end; c += lanes) {
    let e = exp(dims.scale * x[base + c] - top);
    y[base + c] = e;
    sum += e;
  }
  sum = total(lane, sum);

  for (var c = lane; c < end; c += lanes) { y[base + c] /= sum; }
//#if CAUSAL
  for (var c = end + lane; c < dims.width; c += lanes) { y[base + c] = 0.0; }
//#end
}
