// C[z] = f(scale op(A[z]) op(B[z]) + P op(Q) + bias), through workgroup memory: for GPUs.
//
// A workgroup of 16 x 16 threads makes a tile of 16 ROWS by 16 COLS; a thread keeps ROWS by COLS sums. The tiles of A and B pass through workgroup
// memory, DEPTH steps of k at a time, read in the order in which they are stored.
//
//   TA TB          A is stored [k, m] and not [m, k]; B is stored [n, k] and not [k, n]
//   BIAS           + bias[n]
//   LOW_RANK       + P op(Q), for one matrix only; Q is stored as B is, with r in the place of k
//   ACTIVATION     f, one of QUICK_GELU and GELU
//   ADD            C += instead of C =
//   A B C          what an operand is stored as, f32 or f16; HALF where one of them is f16. Sums are f32
//   A_LOADS B_LOADS   elements that a thread brings: ROWS * DEPTH / 16 and COLS * DEPTH / 16
//
// Bindings: 0 Dims; 1 A [batch, m, k]; 2 B [batch, k, n]; 3 C [batch, m, n]; 4 bias [n]; 5 P [m, r]; 6 Q [r, n]; absent where not asked for.
// Layout:   ld* are strides between stored rows, *Outer and *Head between matrices z = outer * heads + head; B's is that of head / share. A
//           workgroup is one tile of one matrix; the grid is folded over x and y, tiles along n first. A sum runs
//           over k, then over r, with one accumulator.
// Bounds:   a row or column past the edge reads the last one instead, and is not written; k is cut exactly.

//#if HALF
enable f16;

//#end
//#include product

//#include epilogue

@group(0) @binding(1) var<storage, read> a: array<{{A}}>;
@group(0) @binding(2) var<storage, read> b: array<{{B}}>;

const rows = 16u * {{ROWS}}u;
const cols = 16u * {{COLS}}u;
const depth = {{DEPTH}}u;

// By k, then by row or column; a row more keeps the banks apart when k is the fast direction of the writes.
var<workgroup> aTile: array<f32, depth * (rows + 1u)>;
var<workgroup> bTile: array<f32, depth * (cols + 1u)>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32,
) {
  let tile = group.x + group.y * groups.x;
  let tilesAcross = (dims.n + cols - 1u) / cols;
  let tiles = tilesAcross * ((dims.m + rows - 1u) / rows);
  let z = tile / tiles;
  if (z >= dims.batch) { return; }
  let row0 = (tile % tiles) / tilesAcross * rows;
  let col0 = (tile % tilesAcross) * cols;
  let outer = z / dims.heads;
  let head = z % dims.heads;
  let aBase = outer * dims.aOuter + head * dims.aHead;
  let bBase = outer * dims.bOuter + head / dims.share * dims.bHead;
  let cBase = outer * dims.cOuter + head * dims.cHead;

  var sum: array<array<f32, {{COLS}}>, {{ROWS}}>;
  for (var k0 = 0u; k0 < dims.k; k0 += depth) {
    let steps = min(depth, dims.k - k0);
//#for s A_LOADS
    {
      let at = {{s}}u * 256u + thread;
//#if TA
      let i = at % rows;
      let t = at / rows;
      if (t < steps) { aTile[t * (rows + 1u) + i] = f32(a[aBase + (k0 + t) * dims.lda + min(row0 + i, dims.m - 1u)]); }
//#else
      let i = at / depth;
      let t = at % depth;
      if (t < steps) { aTile[t * (rows + 1u) + i] = f32(a[aBase + min(row0 + i, dims.m - 1u) * dims.lda + k0 + t]); }
//#end
    }
//#end
//#for s B_LOADS
    {
      let at = {{s}}u * 256u + thread;
//#if TB
      let j = at / depth;
      let t = at % depth;
      if (t < steps) { bTile[t * (cols + 1u) + j] = f32(b[bBase + min(col0 + j, dims.n - 1u) * dims.ldb + k0 + t]); }
//#else
      let j = at % cols;
      let t = at / cols;
      if (t < steps) { bTile[t * (cols + 1u) + j] = f32(b[bBase + (k0 + t) * dims.ldb + min(col0 + j, dims.n - 1u)]); }
//#end
    }
//#end
    workgroupBarrier();
    for (var t = 0u; t < steps; t++) {
//#for j COLS
      let y{{j}} = bTile[t * (cols + 1u) + local.x + 16u * {{j}}u];
//#end
//#for i ROWS
      let x{{i}} = aTile[t * (rows + 1u) + local.y + 16u * {{i}}u];
//#for j COLS
      sum[{{i}}][{{j}}] = fma(x{{i}}, y{{j}}, sum[{{i}}][{{j}}]);
//#end
//#end
    }
    workgroupBarrier();
  }
//#for i ROWS
//#for j COLS
  sum[{{i}}][{{j}}] *= dims.scale;
//#end
//#end

//#if LOW_RANK
  for (var t = 0u; t < dims.r; t++) {
//#for j COLS
    let column{{j}} = min(col0 + local.x + 16u * {{j}}u, dims.n - 1u);
    let y{{j}} = qAt(column{{j}}, t);
//#end
//#for i ROWS
    let x{{i}} = pAt(min(row0 + local.y + 16u * {{i}}u, dims.m - 1u), t);
//#for j COLS
    sum[{{i}}][{{j}}] = fma(x{{i}}, y{{j}}, sum[{{i}}][{{j}}]);
//#end
//#end
  }
//#end

//#for i ROWS
//#for j COLS
  {
    let row = row0 + local.y + 16u * {{i}}u;
    let col = col0 + local.x + 16u * {{j}}u;
    if (row < dims.m && col < dims.n) {
      let at = cBase + row * dims.ldc + col;
      store(at, finished(sum[{{i}}][{{j}}], row, col, at));
    }
  }
//#end
//#end
}
