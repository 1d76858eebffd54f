// out[j] = scale * the sum of x[o, j, k] over o and k, in a fixed order.
//
// Constants: SUMSQ    sums squares instead.
//            PARTIAL  out is [ceil(outer / chunk), groups]: row c sums only o = c chunk .. c chunk + chunk - 1. A tall matrix is summed in two
//                     passes, or only `groups` threads would have work.
//            GROUP    gives a sum to a workgroup of 64 lanes (not with PARTIAL); else a thread has a sum of its own.
//            BATCH    sums several tensors x in one launch, z is their number (with PARTIAL or GROUP); less than 64 zeros lie behind the sums of
//                     each but the partial ones.
// Bindings:  0 Dims {outer, groups, inner, chunk, scale, xStep, outStep}, the steps from one tensor to the next; 1 x [outer, groups, inner]; 2 out.
// Layout:    the grid is folded over x and y; with PARTIAL, y is the chunk. n terms are added in runs of about sqrt(n), and then the runs: the
//            rounding error grows with sqrt(n), not with n.
// Bounds:    threads past `groups` return; an empty sum is 0.

struct Dims { outer: u32, groups: u32, inner: u32, chunk: u32, scale: f32, xStep: u32, outStep: u32 }

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

fn runOf(terms: u32) -> u32 { return 1u + u32(sqrt(f32(terms))); }

//#if GROUP
//#include lanes

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u,
) {
  let j = group.x + group.y * groups.x;
  if (j >= dims.groups) { return; }
//#if BATCH
  let base = group.z * dims.xStep;
  let to = group.z * dims.outStep;
  if (j == 0u && lane < dims.outStep - dims.groups) { out[to + dims.groups + lane] = 0.0; }
//#else
  let base = 0u;
  let to = 0u;
//#end
  let terms = dims.outer * dims.inner;
  let run = 64u * runOf(terms / 64u);
  var sum = 0.0;
  for (var start = 0u; start < terms; start += run) {
    let stop = min(start + run, terms);
    var short = 0.0;
    for (var term = start + lane; term < stop; term += 64u) {
      let o = term / dims.inner;
      let k = term - o * dims.inner;
      short = accumulate(short, x[base + (o * dims.groups + j) * dims.inner + k]);
    }
    sum += short;
  }
  sum = total(lane, sum);
  if (lane == 0u) { out[to + j] = dims.scale * sum; }
}
//#else
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#if PARTIAL
  let j = id.x;
  let first = id.y * dims.chunk;
  let end = min(first + dims.chunk, dims.outer);
//#if BATCH
  let base = id.z * dims.xStep;
  let to = id.z * dims.outStep + id.y * dims.groups + j;
//#else
  let base = 0u;
  let to = id.y * dims.groups + j;
//#end
//#else
  let j = id.x + id.y * (groups.x * 64u);
  let first = 0u;
  let end = dims.outer;
  let base = 0u;
  let to = j;
//#end
  if (j >= dims.groups) { return; }
  let terms = (end - first) * dims.inner;
  let run = runOf(terms);
  // From the last element of a line o to the first of the next one.
  let skip = (dims.groups - 1u) * dims.inner;
  var at = base + (first * dims.groups + j) * dims.inner;
  var k = 0u;
  var sum = 0.0;
  for (var start = 0u; start < terms; start += run) {
    let stop = min(start + run, terms);
    var short = 0.0;
    for (var term = start; term < stop; term += 1u) {
      short = accumulate(short, x[at]);
      at += 1u;
      k += 1u;
      if (k == dims.inner) {
        k = 0u;
        at += skip;
      }
    }
    sum += short;
  }
  out[to] = dims.scale * sum;
}
//#end
