// loss = -sum(t * logsoftmax(x)) for every row of logits x and targets t, which need not sum to 1.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 logits [rows, width]; 2 targets [rows, width]; 3 loss [rows];
//            4 lse [rows], the logarithm of the sum of e^x, for the gradient.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

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

  var top = -3.402823e38;
  for (var c = lane; c < dims.width; c += lanes) { top = max(top, logits[base + c]); }
  top = greatest(lane, top);

  var sum = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { sum += exp(logits[base + c] - top); }
  let logarithm = log(total(lane, sum));

  // top - x first: it is exact for the target's logit when that one is the greatest, whatever its size.
  var nll = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { nll = fma(targets[base + c], (top - logits[base + c]) + logarithm, nll); }
  nll = total(lane, nll);
  if (lane == 0u) {
    loss[row] = nll;
    lse[row] = top + logarithm;
  }
}
