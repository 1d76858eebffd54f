// The gradient of attention.wgsl's queries: dq = scale * ds k, where ds = p (dp - D), dp = dy vᵀ and the weights p are computed again, as
// exp(scale * q kᵀ - lse) (Dao et al., 2022). D = sum(dy o) over the width of a head is what softmax's gradient subtracts, sum(p dp); it goes
// into the facts of a query. A workgroup has some queries of one head and walks over the keys in tiles of 32.
//
// Constants: those of parts/attention.wgsl (KEPT is 2: the queries and their gradient dy).
// Bindings:  0 Dims; 1 q [batch, queries, heads · width]; 2 k and 3 v [batch, keys, heads / share · width]; 4 dy, like q; 5 facts u32 [batch,
//            heads, queries, 4], of attention.wgsl; 6 o and 7 dq, like q; 8 the facts, with the bits of D in the place of 0.
// Layout:    as in attention.wgsl. A tile of values comes first, then the keys, which both the scores and the sums read.
// Bounds:    a tile of keys none of which is seen is not visited; the grid is folded over x and y, and workgroups past the last tile return.

//#if HALF
enable f16;

//#end
//#include attention

@group(0) @binding(5) var<storage, read> facts: array<vec4u>;
@group(0) @binding(7) var<storage, read_write> dq: array<Real>;
@group(0) @binding(8) var<storage, read_write> allFacts: array<vec4u>;

fn put(which: u32, at: u32, x: Real) { dq[at] = x; }

// The gradient of four scores of a query, the first of them with `key`.
fn slopes(fact: vec4u, d: f32, key: u32, score: vec4f, dp: vec4f) -> vec4f {
  let column = vec4u(key) + vec4u(0u, 1u, 2u, 3u);
  let visible = (column >= vec4u(fact.z)) & (column < vec4u(fact.w));
  let p = exp(select(vec4f(lowest), dims.scale * score - bitcast<f32>(fact.x), visible));
  return p * (dp - d);
}

fn shareOfD(queries: Rows, first: u32, row: u32, across: u32) -> vec4f {
  var sum = vec4f();
  for (var c = across; c < deep(); c += 8u) { sum = fma(four(outputRows, queries, first + row, c), kept[(tall + row) * stride + c], sum); }
  return sum;
}

fn sumOfShares(row: u32) -> f32 {
  var sum = vec4f();
  for (var c = 0u; c < 8u; c += 1u) { sum += weights[row * 9u + c]; }
  return (sum.x + sum.y) + (sum.z + sum.w);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let tiles = (dims.queries + tall - 1u) / tall;
  let tile = group.x + group.y * groups.x;
  let z = tile / tiles;
  if (z >= dims.batch * dims.heads) { return; }
  let first = tile % tiles * tall;
  let sample = z / dims.heads;
  let head = z % dims.heads;
  let queries = queriesOf(sample, head);
  let keys = keysOf(sample, head / dims.share);
  let down = local / 8u;
  let across = local % 8u;

  // The last query sees as many keys as any of the tile.
  let most = facts[z * dims.queries + min(first + tall, dims.queries) - 1u];
//#for i ROWS
  let fact{{i}} = facts[z * dims.queries + min(first + down + 8u * {{i}}u, dims.queries - 1u)];
//#end
  var sums = Sums();
  keep(0u, queryRows, queries, first, local);
  keep(1u, gradientRows, queries, first, local);
  workgroupBarrier();

  // D: a thread multiplies every eighth vec4 of its rows, and then adds what the threads of a row have.
  publish(Scores(
//#for i ROWS
    shareOfD(queries, first, down + 8u * {{i}}u, across),
//#end
  ), down, across);
  workgroupBarrier();
//#for i ROWS
  let d{{i}} = sumOfShares(down + 8u * {{i}}u);
  if (across == 0u && first + down + 8u * {{i}}u < dims.queries) {
    allFacts[z * dims.queries + first + down + 8u * {{i}}u] = vec4u(fact{{i}}.x, bitcast<u32>(d{{i}}), fact{{i}}.z, fact{{i}}.w);
  }
//#end

  for (var key = most.z / wide * wide; key < most.w; key += wide) {
    workgroupBarrier();
    bring(valueRows, keys, key, local);
    workgroupBarrier();
    let dp = scores(1u, down, across);
    workgroupBarrier();
    bring(keyRows, keys, key, local);
    workgroupBarrier();
    let s = scores(0u, down, across);
    publish(Scores(
//#for i ROWS
      slopes(fact{{i}}, d{{i}}, key + 4u * across, s[{{i}}], dp[{{i}}]),
//#end
    ), down, across);
    workgroupBarrier();
    weigh(&sums, down, across, quadsOf(most.w - key));
  }

//#for i ROWS
//#for c WIDE
  sums[{{i}}][{{c}}] *= dims.scale;
//#end
//#end
  store(queryRows, queries, first, sums, down, across);
}
