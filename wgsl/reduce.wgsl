// out[j] = scale * the sum of x[o, j, k] over o and k, in a fixed order.
//
// Constants: SUMSQ    sums squares instead.
//            PARTIAL  out is [ceil(outer / chunk), groups]: row c sums only o = c chunk .. c chunk + chunk - 1. A tall matrix is summed in two
//                     passes, or only `groups` threads would have work.
//            GROUP    a workgroup of 64 a sum (not with PARTIAL).
// Bindings:  0 Dims {outer, groups, inner, chunk, scale}; 1 x [outer, groups, inner]; 2 out.
// Layout:    a thread a sum, workgroup 64; the grid folded over x and y, with PARTIAL y is the chunk. Terms are summed in short runs, and
//            the runs in order: the rounding error grows with the number of runs, not of terms.
// Bounds:    threads past `groups` return; an empty sum is 0.

struct Dims { outer: u32, groups: u32, inner: u32, chunk: u32, scale: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn accumulate(sum: f32, value: f32) -> f32 {
//#if SUMSQ
  return fma(value, value, sum);
//#else
  return sum + value;
//#end
}

//#if GROUP
var<workgroup> partial: array<f32, 64>;

// The sum of one value of every lane, by halves.
fn total(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  return partial[lane];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u,
) {
  let j = group.x + group.y * groups.x;
  if (j >= dims.groups) { return; }
  let terms = dims.outer * dims.inner;
  var sum = 0.0;
  for (var term = lane; term < terms; term += 64u) {
    let o = term / dims.inner;
    let k = term - o * dims.inner;
    sum = accumulate(sum, x[(o * dims.groups + j) * dims.inner + k]);
  }
  sum = total(lane, sum);
  if (lane == 0u) { out[j] = dims.scale * sum; }
}
//#else
const run = 64u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#if PARTIAL
  let j = id.x;
  let first = id.y * dims.chunk;
  let end = min(first + dims.chunk, dims.outer);
  let at = id.y * dims.groups + j;
//#else
  let j = id.x + id.y * (groups.x * 64u);
  let first = 0u;
  let end = dims.outer;
  let at = j;
//#end
  if (j >= dims.groups) { return; }
  var sum = 0.0;
  for (var o = first; o < end; o += 1u) {
    let base = (o * dims.groups + j) * dims.inner;
    for (var k = 0u; k < dims.inner; k += run) {
      let stop = min(k + run, dims.inner);
      var short = 0.0;
      for (var i = k; i < stop; i += 1u) { short = accumulate(short, x[base + i]); }
      sum += short;
    }
  }
  out[at] = dims.scale * sum;
}
//#end
