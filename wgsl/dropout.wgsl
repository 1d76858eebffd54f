// y[i] = scale * x[i] where element i is kept, else 0. What is kept is a hash of (seed, site, i) in whole numbers, the same on every
// adapter; src/kernels/dropout.ts computes the same on the host.
//
// Bindings: 0 Dims {count, first, site, threshold, scale}; 1 x [count]; 2 seed [2], whole numbers below 2^24; 3 y [count].
//           x may be a window of a tensor: its element i is element first + i of it. A hash below `threshold` drops.
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32, first: u32, site: u32, threshold: u32, scale: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> seed: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// Every bit of the result depends on every bit of h: the "lowbias32" permutation (Wellons, 2018), which would leave 0 as it is.
fn mix(value: u32) -> u32 {
  var h = value + 0x9e3779b9u;
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return h ^ (h >> 16u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let key = mix(mix(mix(u32(seed[0])) ^ u32(seed[1])) ^ dims.site);
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
    // Mixed before the key comes in, so that the mask of one key is not that of another in another order.
    let hash = mix(mix(dims.first + i) ^ key);
    y[i] = select(dims.scale * x[i], 0.0, hash < dims.threshold);
  }
}
