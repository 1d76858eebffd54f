// C[z] = f(scale op(A[z]) op(B[z]) + P op(Q) + bias), through workgroup memory: for GPUs.
//
// A workgroup of DOWN by ACROSS threads makes a tile; a thread keeps ROWS by COLS sums in registers. A and B pass through workgroup memory,
// DEPTH terms of every sum at a time, as they are stored: four of them in a vector, along k or, where k counts the stored rows (BY_K), along
// the rows or columns of C. Nothing is transposed on its way; a thread picks the components that it needs, which costs nothing.
//
// How it is laid out, and why (the shape of the tile is a choice of the tuner):
//   - On a GPU every instruction that is no fma takes the place of one. Four terms of a thread's sums are 4 ROWS COLS fmas on ROWS + COLS
//     reads of vectors: 128 on 12 for 8 by 4. Loops inside a step are written out (UNROLL quads of it) and arrays are nested, so that their
//     indices are constants but for the thread's own, which is the same all the way: no arithmetic on addresses and no check of bounds in there.
//   - The vectors of the next step are read from memory before this step is multiplied and put down after it, so that the latency of memory
//     is hidden behind the sums. With two BUFFERS a step has one barrier, with one it has two.
//   - A warp is LANES by 32 / LANES threads, as square as it can be: its threads read few different vectors, and those lie side by side. Rows
//     along k are a vector longer than they need be: then eight of them that are read together lie in different banks, and by k they
//     do anyway.
//   - Threads with consecutive numbers read what is consecutive in memory, at least 32 bytes of it.
//
//   TA TB          A is stored [k, m] and not [m, k]; B is stored [n, k] and not [k, n]; A_BY_K = TA, B_BY_K = not TB
//   BIAS           + bias[n]
//   LOW_RANK       + P op(Q), for one matrix only; Q is stored as B is, with r in the place of k. These are steps like the others, after the
//                  sums were scaled
//   SPLIT          a sum is split: each part of it has dims.part terms and goes where parts/split.wgsl says, as it is; P op(Q) comes with the last
//   EPILOGUE SECOND ADD   what becomes of a sum: parts/epilogue.wgsl
//   A B C          what an operand is stored as: f32 or vec4f, f16 or vec4h; HALF where one of them is f16. Sums are f32
//   A_VEC4 B_VEC4  it is read by four: its strides are then multiples of 4, and so is the extent that it is stored along
//   TAIL           k or r is no multiple of DEPTH
//   A_QUADS B_QUADS  ROWS / 4 and COLS / 4; A_LOADS B_LOADS: vectors that a thread brings for a step; QUADS = DEPTH / 4; THREADS in all;
//                  DOUBLE where there are two BUFFERS
//
// Bindings: 0 Dims; 1 A [batch, m, k]; 2 B [batch, k, n]; 3 C [batch, m, n]; 4 bias [n]; 5 P [m, r]; 6 Q [r, n];
//           7 a second result like C; 8 to 10 what the epilogue reads; absent where not asked for.
// Layout:   ld* are strides between stored rows, *Outer and *Head between matrices z = outer * heads + head; B's is that of head / share. A
//           workgroup is one tile of one matrix; the grid is folded over x and y, tiles along n first. A sum runs
//           over k, then over r, with one accumulator.
// Bounds:   a row or column past the edge reads another one instead, and is not written; k is cut exactly: what is read past it is not added.

//#if HALF
enable f16;

//#end
//#include product

//#include epilogue

//#if SPLIT
//#include split

//#end
@group(0) @binding(1) var<storage, read> a: array<{{A}}>;
@group(0) @binding(2) var<storage, read> b: array<{{B}}>;

// The four elements that begin at `at`.
//#if A_VEC4
fn aFour(at: u32) -> vec4f { return vec4f(a[at / 4u]); }
//#else
fn aFour(at: u32) -> vec4f { return vec4f(f32(a[at]), f32(a[at + 1u]), f32(a[at + 2u]), f32(a[at + 3u])); }
//#end
//#if B_VEC4
fn bFour(at: u32) -> vec4f { return vec4f(b[at / 4u]); }
//#else
fn bFour(at: u32) -> vec4f { return vec4f(f32(b[at]), f32(b[at + 1u]), f32(b[at + 2u]), f32(b[at + 3u])); }
//#end

const down = {{DOWN}}u;
const across = {{ACROSS}}u;
const rows = {{ROWS}}u * down;
const cols = {{COLS}}u * across;
const depth = {{DEPTH}}u;
const lanes = {{LANES}}u;

//#if A_BY_K
var<workgroup> aTile: array<array<array<array<vec4f, down>, {{A_QUADS}}>, depth>, {{BUFFERS}}>;
//#else
var<workgroup> aTile: array<array<array<array<vec4f, {{QUADS}} + 1>, down>, {{ROWS}}>, {{BUFFERS}}>;
//#end
//#if B_BY_K
var<workgroup> bTile: array<array<array<array<vec4f, across>, {{B_QUADS}}>, depth>, {{BUFFERS}}>;
//#else
var<workgroup> bTile: array<array<array<array<vec4f, {{QUADS}} + 1>, across>, {{COLS}}>, {{BUFFERS}}>;
//#end

@compute @workgroup_size({{THREADS}})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
//#include tile

  // The thread's place in the tile.
  let warp = thread / 32u;
  let tx = thread % lanes + lanes * (warp % (across / lanes));
  let ty = thread % 32u / lanes + 32u / lanes * (warp / (across / lanes));

  // Where the vectors that a thread brings are stored at k = 0, and where they go.
//#for s A_LOADS
  let aAt{{s}} = {{s}}u * {{THREADS}}u + thread;
//#if A_BY_K
  let aTerm{{s}} = aAt{{s}} / (rows / 4u);
  let aRow{{s}} = row0 + aAt{{s}} % (rows / 4u) * 4u;
//#if A_VEC4
  let aPlace{{s}} = aBase + aTerm{{s}} * dims.lda + min(aRow{{s}}, dims.m - 4u);
//#else
  let aPlace{{s}} = aBase + aTerm{{s}} * dims.lda + min(aRow{{s}}, dims.m - 1u);
//#end
//#else
  let aTerm{{s}} = aAt{{s}} % {{QUADS}}u * 4u;
  let aRow{{s}} = min(row0 + aAt{{s}} / {{QUADS}}u, dims.m - 1u);
  let aPlace{{s}} = aBase + aRow{{s}} * dims.lda + aTerm{{s}};
//#end
  var aNext{{s}}: vec4f;
//#end
//#for s B_LOADS
  let bAt{{s}} = {{s}}u * {{THREADS}}u + thread;
//#if B_BY_K
  let bTerm{{s}} = bAt{{s}} / (cols / 4u);
  let bCol{{s}} = col0 + bAt{{s}} % (cols / 4u) * 4u;
//#if B_VEC4
  let bPlace{{s}} = bBase + bTerm{{s}} * dims.ldb + min(bCol{{s}}, dims.n - 4u);
//#else
  let bPlace{{s}} = bBase + bTerm{{s}} * dims.ldb + min(bCol{{s}}, dims.n - 1u);
//#end
//#else
  let bTerm{{s}} = bAt{{s}} % {{QUADS}}u * 4u;
  let bCol{{s}} = min(col0 + bAt{{s}} / {{QUADS}}u, dims.n - 1u);
  let bPlace{{s}} = bBase + bCol{{s}} * dims.ldb + bTerm{{s}};
//#end
  var bNext{{s}}: vec4f;
//#end
//#if A_BY_K
  let aStep = dims.lda;
//#else
  let aStep = 1u;
//#end
//#if B_BY_K
  let bStep = dims.ldb;
//#else
  let bStep = 1u;
//#end

  let wide = (end - begin + depth - 1u) / depth;
  var steps = wide;
//#if LOW_RANK
//#if SPLIT
  if (end == dims.k) { steps += (dims.r + depth - 1u) / depth; }
//#else
  steps += (dims.r + depth - 1u) / depth;
//#end
//#end

  var sum: array<array<vec4f, {{B_QUADS}}>, {{ROWS}}>;
  // Step s is read while step s - 1 is multiplied.
  for (var s = 0u; s <= steps; s++) {
    if (s < steps) {
//#if LOW_RANK
      if (s >= wide) {
        let k0 = (s - wide) * depth;
//#for s A_LOADS
//#if A_BY_K
        aNext{{s}} = vec4f(
//#for e 4
          pAt(aRow{{s}} + {{e}}u, k0 + aTerm{{s}}),
//#end
        );
//#else
        aNext{{s}} = vec4f(
//#for e 4
          pAt(aRow{{s}}, k0 + aTerm{{s}} + {{e}}u),
//#end
        );
//#end
//#end
//#for s B_LOADS
//#if B_BY_K
        bNext{{s}} = vec4f(
//#for e 4
          qAt(bCol{{s}} + {{e}}u, k0 + bTerm{{s}}),
//#end
        );
//#else
        bNext{{s}} = vec4f(
//#for e 4
          qAt(bCol{{s}}, k0 + bTerm{{s}} + {{e}}u),
//#end
        );
//#end
//#end
      } else {
//#else
      {
//#end
        let k0 = begin + s * depth;
//#for s A_LOADS
        aNext{{s}} = aFour(aPlace{{s}} + k0 * aStep);
//#end
//#for s B_LOADS
        bNext{{s}} = bFour(bPlace{{s}} + k0 * bStep);
//#end
      }
    }
    if (s > 0u) {
//#if LOW_RANK
      if (s == wide + 1u) {
//#for i ROWS
//#for j B_QUADS
        sum[{{i}}][{{j}}] *= dims.scale;
//#end
//#end
      }
//#end
      let here = (s - 1u) % {{BUFFERS}}u;
//#if TAIL
      var terms = min(depth, end - begin - (s - 1u) * depth);
//#if LOW_RANK
      if (s > wide) { terms = min(depth, dims.r - (s - 1u - wide) * depth); }
//#end
      for (var t = 0u; terms < depth && t < terms; t++) {
        var right: array<f32, {{COLS}}>;
//#for j COLS
//#if B_BY_K
        right[{{j}}] = bTile[here][t][{{j}}u / 4u][tx][{{j}}u % 4u];
//#else
        right[{{j}}] = bTile[here][{{j}}][tx][t / 4u][t % 4u];
//#end
//#end
//#for i ROWS
        {
//#if A_BY_K
          let left = vec4f(aTile[here][t][{{i}}u / 4u][ty][{{i}}u % 4u]);
//#else
          let left = vec4f(aTile[here][{{i}}][ty][t / 4u][t % 4u]);
//#end
//#for j B_QUADS
          let columns{{j}} = vec4f(right[{{j}}u * 4u], right[{{j}}u * 4u + 1u], right[{{j}}u * 4u + 2u], right[{{j}}u * 4u + 3u]);
          sum[{{i}}][{{j}}] = fma(left, columns{{j}}, sum[{{i}}][{{j}}]);
//#end
        }
//#end
      }
      if (terms == depth)
//#end
      {
        for (var first = 0u; first < {{QUADS}}u; first += {{UNROLL}}u) {
//#for u UNROLL
        {
          let g = first + {{u}}u;
//#if A_BY_K
          var left: array<vec4f, 4u * {{A_QUADS}}u>;
//#for e 4
//#for i A_QUADS
          left[{{e}}u * {{A_QUADS}}u + {{i}}u] = aTile[here][g * 4u + {{e}}u][{{i}}][ty];
//#end
//#end
//#else
          var left: array<vec4f, {{ROWS}}>;
//#for i ROWS
          left[{{i}}] = aTile[here][{{i}}][ty][g];
//#end
//#end
//#if B_BY_K
          var right: array<vec4f, 4u * {{B_QUADS}}u>;
//#for e 4
//#for j B_QUADS
          right[{{e}}u * {{B_QUADS}}u + {{j}}u] = bTile[here][g * 4u + {{e}}u][{{j}}][tx];
//#end
//#end
//#else
          var right: array<vec4f, {{COLS}}>;
//#for j COLS
          right[{{j}}] = bTile[here][{{j}}][tx][g];
//#end
//#end
//#for e 4
//#for j B_QUADS
          {
//#if B_BY_K
            let columns = right[{{e}}u * {{B_QUADS}}u + {{j}}u];
//#else
            let columns = vec4f(
//#for f 4
              right[{{j}}u * 4u + {{f}}u][{{e}}],
//#end
            );
//#end
//#for i ROWS
//#if A_BY_K
            sum[{{i}}][{{j}}] = fma(vec4f(left[{{e}}u * {{A_QUADS}}u + {{i}}u / 4u][{{i}}u % 4u]), columns, sum[{{i}}][{{j}}]);
//#else
            sum[{{i}}][{{j}}] = fma(vec4f(left[{{i}}][{{e}}]), columns, sum[{{i}}][{{j}}]);
//#end
//#end
          }
//#end
//#end
        }
//#end
        }
      }
    }
//#if !DOUBLE
    workgroupBarrier();
//#end
    if (s < steps) {
      let next = s % {{BUFFERS}}u;
//#for s A_LOADS
//#if A_BY_K
      aTile[next][aAt{{s}} / (rows / 4u)][aAt{{s}} % (rows / 4u) / down][aAt{{s}} % down] = aNext{{s}};
//#else
      aTile[next][aAt{{s}} / {{QUADS}}u / down][aAt{{s}} / {{QUADS}}u % down][aAt{{s}} % {{QUADS}}u] = aNext{{s}};
//#end
//#end
//#for s B_LOADS
//#if B_BY_K
      bTile[next][bAt{{s}} / (cols / 4u)][bAt{{s}} % (cols / 4u) / across][bAt{{s}} % across] = bNext{{s}};
//#else
      bTile[next][bAt{{s}} / {{QUADS}}u / across][bAt{{s}} / {{QUADS}}u % across][bAt{{s}} % {{QUADS}}u] = bNext{{s}};
//#end
//#end
    }
    workgroupBarrier();
  }
//#if LOW_RANK
  if (steps == wide)
//#end
  {
//#for i ROWS
//#for j B_QUADS
    sum[{{i}}][{{j}}] *= dims.scale;
//#end
//#end
  }

//#for i ROWS
//#for j COLS
  {
//#if A_BY_K
    let row = row0 + ({{i}}u / 4u * down + ty) * 4u + {{i}}u % 4u;
//#else
    let row = row0 + {{i}}u * down + ty;
//#end
//#if B_BY_K
    let col = col0 + ({{j}}u / 4u * across + tx) * 4u + {{j}}u % 4u;
//#else
    let col = col0 + {{j}}u * across + tx;
//#end
    if (row < dims.m && col < dims.n) {
//#if SPLIT
      let at = placeOfPart(cBase + row * dims.ldc + col, part);
//#else
      let at = cBase + row * dims.ldc + col;
//#end
      store(at, finished(sum[{{i}}][{{j}}u / 4u][{{j}}u % 4u], row, col, at));
    }
  }
//#end
//#end
}
