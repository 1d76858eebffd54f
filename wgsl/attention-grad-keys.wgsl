// The gradients of attention.wgsl's keys and values: dv = pᵀ dy and dk = scale * dsᵀ q, with p and ds as in attention-grad-queries.wgsl (Dao et
// al., 2022). A workgroup has some keys of one head and walks over the queries in tiles of 32, those of every head that shares the keys, one head
// after another: each sum is in one thread, in a fixed order.
//
// Constants: those of parts/attention.wgsl (KEPT is 2: the keys and the values).
// Bindings:  0 Dims; 1 q [batch, queries, heads · width]; 2 k and 3 v [batch, keys, heads / share · width]; 4 dy, like q; 5 facts u32 [batch,
//            heads, queries, 4], of attention-grad-queries.wgsl; 6 dk and 7 dv, like k.
// Layout:    as in attention.wgsl with keys and queries in each other's place: maps are [keys, queries]. The queries of a tile come twice, around
//            their gradients: a second tile in workgroup memory would leave room for fewer workgroups.
// Bounds:    a tile of queries none of which sees a key of the workgroup is not visited; the grid is folded over x and y, and workgroups past the
//            last tile return.

//#if HALF
enable f16;

//#end
//#include attention

@group(0) @binding(5) var<storage, read> facts: array<vec4u>;
@group(0) @binding(6) var<storage, read_write> dk: array<Real>;
@group(0) @binding(7) var<storage, read_write> dv: array<Real>;

fn put(which: u32, at: u32, x: Real) { if (which == keyRows) { dk[at] = x; } else { dv[at] = x; } }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let keyHeads = dims.heads / dims.share;
  let tiles = (dims.keys + tall - 1u) / tall;
  let tile = group.x + group.y * groups.x;
  let z = tile / tiles;
  if (z >= dims.batch * keyHeads) { return; }
  let first = tile % tiles * tall;
  let sample = z / keyHeads;
  let keyHead = z % keyHeads;
  let keys = keysOf(sample, keyHead);
  let down = local / 8u;
  let across = local % 8u;

  var keySums = Sums();
  var valueSums = Sums();
  keep(0u, keyRows, keys, first, local);
  keep(1u, valueRows, keys, first, local);

  for (var member = 0u; member < dims.share; member += 1u) {
    let head = keyHead * dims.share + member;
    let queries = queriesOf(sample, head);
    let factsAt = (sample * dims.heads + head) * dims.queries;
    for (var query = 0u; query < dims.queries; query += wide) {
      // The last query sees as many keys as any of the tile.
      let most = facts[factsAt + min(query + wide, dims.queries) - 1u];
      if (most.w <= first || most.z >= first + tall) { continue; }
      let column = query + 4u * across;
//#for j 4
      let fact{{j}} = select(vec4u(), facts[factsAt + min(column + {{j}}u, dims.queries - 1u)], column + {{j}}u < dims.queries);
//#end
      let lse = vec4f(bitcast<f32>(fact0.x), bitcast<f32>(fact1.x), bitcast<f32>(fact2.x), bitcast<f32>(fact3.x));
      let d = vec4f(bitcast<f32>(fact0.y), bitcast<f32>(fact1.y), bitcast<f32>(fact2.y), bitcast<f32>(fact3.y));
      let begin = vec4u(fact0.z, fact1.z, fact2.z, fact3.z);
      let end = vec4u(fact0.w, fact1.w, fact2.w, fact3.w);

      workgroupBarrier();
      bring(queryRows, queries, query, local);
      workgroupBarrier();
      let s = scores(0u, down, across);
//#for i ROWS
      let key{{i}} = vec4u(first + down + 8u * {{i}}u);
      let p{{i}} = exp(select(vec4f(lowest), dims.scale * s[{{i}}] - lse, (key{{i}} >= begin) & (key{{i}} < end)));
//#end
      publish(Scores(
//#for i ROWS
        p{{i}},
//#end
      ), down, across);
      workgroupBarrier();
      bring(gradientRows, queries, query, local);
      workgroupBarrier();
      weigh(&valueSums, down, across, quadsOf(dims.queries - query));
      let dp = scores(1u, down, across);
      workgroupBarrier();
      publish(Scores(
//#for i ROWS
        p{{i}} * (dp[{{i}}] - d),
//#end
      ), down, across);
      bring(queryRows, queries, query, local);
      workgroupBarrier();
      weigh(&keySums, down, across, quadsOf(dims.queries - query));
    }
  }

//#for i ROWS
//#for c WIDE
  keySums[{{i}}][{{c}}] *= dims.scale;
//#end
//#end
  store(keyRows, keys, first, keySums, down, across);
  store(valueRows, keys, first, valueSums, down, across);
}
