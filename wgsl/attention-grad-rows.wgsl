// What the gradients of attention.wgsl need of every query, in four words: the log of its sum of exponentials, D = sum(dy o) over the width of
// the head, and the keys that it sees: from one number on, before another. D is what softmax's gradient subtracts, sum(p dp), since dp = dy vᵀ
// and o = p v.
//
// Constants: CAUSAL, STARTS and AT say which keys a query sees, as in softmax.wgsl; O what o is stored as, f32 or f16, and HALF that it is f16.
// Bindings:  0 Dims {count, heads, queries, keys, width}; 1 o and 2 dy [batch, queries, heads · width]; 3 lse [batch, heads, queries]; 4 starts
//            u32 [batch]; 5 at u32 [1], both absent where not asked for; 6 facts u32 [batch, heads, queries, 4], of which the first two are the
//            bits of numbers.
// Layout:    eight threads a query, which stride over the width of the head; the grid is folded over x and y.
// Bounds:    queries past `count` = batch · heads · queries are not written.

//#if HALF
enable f16;

//#end
struct Dims { count: u32, heads: u32, queries: u32, keys: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> o: array<{{O}}>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read_write> facts: array<vec4u>;

//#include seen

var<workgroup> shares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = 8u * (group.x + group.y * groups.x) + local / 8u;
  let z = index / dims.queries;
  let query = index % dims.queries;
  let sample = z / dims.heads;
  let at = ((sample * dims.queries + query) * dims.heads + z % dims.heads) * dims.width;
  var sum = 0.0;
  if (index < dims.count) {
    for (var c = local % 8u; c < dims.width; c += 8u) { sum = fma(f32(o[at + c]), dy[at + c], sum); }
  }
  shares[local] = sum;
  workgroupBarrier();
  if (local % 8u == 0u && index < dims.count) {
    for (var i = 1u; i < 8u; i += 1u) { sum += shares[local + i]; }
    let keys = seen(sample, query, dims.keys);
    facts[index] = vec4u(bitcast<u32>(lse[index]), bitcast<u32>(sum), keys.begin, keys.end);
  }
}
