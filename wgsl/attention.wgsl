// Attention, o = softmax(scale * q kᵀ) v for every head, without writing the scores (Dao et al., 2022 and 2023): a workgroup has some queries of
// one head and walks over the keys in tiles of 32. Of every query it keeps the greatest score so far, the sum of exponentials below it and the
// sum of values, and when a greater score comes, it scales the sums down. Keys that a query does not see have no weight; a query that sees none
// has o = 0.
//
// Constants: CAUSAL, STARTS and AT say which keys a query sees, as in softmax.wgsl; parts/attention.wgsl has the others (KEPT is 1: the queries);
//            O says what o is stored as.
// Bindings:  0 Dims; 1 q [batch, queries, heads · width]; 2 k and 3 v [batch, keys, heads / share · width]; 4 starts u32 [batch]; 5 at u32 [1],
//            both absent where not asked for; 6 o, like q; 7 facts of every query for the gradients, u32 [batch, heads, queries, 4]: the bits of
//            the log of its sum of exponentials (the greatest number where it sees no key), 0, and the keys that it sees, from one on, before
//            another.
// Layout:    a head's width is the contiguous part of a row of `heads · width`; `share` consecutive heads have one head of k and v in common. Why
//            so, on a GPU of 32 lanes a subgroup: with 5 rows a thread, 197 queries are 5 tiles of 40 with 2 % to spare; at width 64 they take 25
//            KiB of workgroup memory, so that several workgroups share a processor and one computes while another waits for loads or a barrier.
//            The softmax of a tile is a row a thread: it takes a twentieth of the instructions, and spares the exchange of maxima.
// Bounds:    a tile of keys none of which is seen is not visited; the grid is folded over x and y, and workgroups past the last tile return.

//#if HALF
enable f16;

//#end
//#include attention

@group(0) @binding(6) var<storage, read_write> o: array<{{O}}>;
@group(0) @binding(7) var<storage, read_write> facts: array<vec4u>;

//#include seen

fn put(which: u32, at: u32, x: Real) { o[at] = {{O}}(x); }

// What the sums of a row are scaled by, and at last their divisor.
var<workgroup> factors: array<f32, tall>;

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
  let most = seen(sample, min(first + tall, dims.queries) - 1u, dims.keys);
  // Thread t has row t of the tile in the softmax.
  let mine = seen(sample, min(first + local, dims.queries - 1u), dims.keys);
  var greatest = lowest;
  var total = 0.0;
  var sums = Sums();
  keep(0u, queryRows, queries, first, local);

  for (var key = most.begin / wide * wide; key < most.end; key += wide) {
    let quads = quadsOf(most.end - key);
    workgroupBarrier();
    bring(keyRows, keys, key, local);
    workgroupBarrier();
    publish(scores(0u, down, across), down, across);
    workgroupBarrier();

    bring(valueRows, keys, key, local);
    if (local < tall) {
      var top = greatest;
      for (var j = 0u; j < quads; j += 1u) {
        let x = dims.scale * weights[local * 9u + j];
        weights[local * 9u + j] = x;
        let column = vec4u(key + 4u * j) + vec4u(0u, 1u, 2u, 3u);
        let s = select(vec4f(lowest), x, (column >= vec4u(mine.begin)) & (column < vec4u(mine.end)));
        top = max(top, max(max(s.x, s.y), max(s.z, s.w)));
      }
      var sum = 0.0;
      for (var j = 0u; j < quads; j += 1u) {
        let column = vec4u(key + 4u * j) + vec4u(0u, 1u, 2u, 3u);
        let visible = (column >= vec4u(mine.begin)) & (column < vec4u(mine.end));
        let p = select(vec4f(), exp(weights[local * 9u + j] - top), visible);
        weights[local * 9u + j] = p;
        sum += (p.x + p.y) + (p.z + p.w);
      }
      let factor = exp(greatest - top);
      factors[local] = factor;
      total = fma(total, factor, sum);
      greatest = top;
    }
    workgroupBarrier();

//#for i ROWS
    let factor{{i}} = factors[down + 8u * {{i}}u];
//#for c WIDE
    sums[{{i}}][{{c}}] *= factor{{i}};
//#end
//#end
    weigh(&sums, down, across, quads);
  }

  workgroupBarrier();
  if (local < tall) {
    factors[local] = total;
    let query = first + local;
    if (query < dims.queries) {
      let lse = select(-lowest, greatest + log(total), total > 0.0);
      facts[z * dims.queries + query] = vec4u(bitcast<u32>(lse), 0u, mine.begin, mine.end);
    }
  }
  workgroupBarrier();
//#for i ROWS
  let divisor{{i}} = factors[down + 8u * {{i}}u];
//#for c WIDE
  sums[{{i}}][{{c}}] = select(vec4f(), sums[{{i}}][{{c}}] / divisor{{i}}, divisor{{i}} > 0.0);
//#end
//#end
  store(queryRows, queries, first, sums, down, across);
}
