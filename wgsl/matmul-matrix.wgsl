// C[z] = f(scale op(A[z]) op(B[z]) + P op(Q)) on subgroup matrices: operands rounded to f16, sums in f32. For GPUs with such units.
//
// A workgroup makes a tile of ROWS by COLS; each of its subgroups makes SUB_ROWS by SUB_COLS of it, in matrices of MM by MN. The tiles of A and
// B pass through workgroup memory, DEPTH steps of k at a time, laid out as they are stored: what lies together there lies together here. There are
// two stages: while one is multiplied, the next is fetched into registers and then put into the other; so a step has one barrier. P and Q are
// further steps of k. The sums go through workgroup memory, a matrix of every subgroup at a time, to threads that finish and store them one by one.
//
//   TA TB            A is stored [k, m] and not [m, k]; B is stored [n, k] and not [k, n]
//   BIAS LOW_RANK EPILOGUE ADD   the epilogue, as in parts/epilogue.wgsl; LOW_RANK not with TA
//   A B C            what an operand is stored as: f32 or vec4f, f16 or vec4h; A_VEC4 B_VEC4: it is read by four, its strides are then multiples
//                    of 4, and so is the extent that it is stored along
//   FOUR_A FOUR_B    what four elements of A, and of B, are kept as on their way, vec4f or vec4h; ONE_A ONE_B: f32 or f16
//   MM MN MK LANES   a configuration of the adapter, and the lanes of a subgroup; EMULATED: see parts/matrix.wgsl
//   THREADS          LANES times the subgroups; A_LOADS B_LOADS: fours that a thread brings of a stage
//   ACROSS DOWN      matrices of a subgroup, SUB_COLS / MN and SUB_ROWS / MM; TURNS = DEPTH / MK
//   SPLIT            a sum is split: each part of it has dims.part terms and goes where parts/split.wgsl says; P op(Q) comes with the last
//
// Bindings: 0 Dims; 1 A [batch, m, k]; 2 B [batch, k, n]; 3 C [batch, m, n]; 4 bias [n]; 5 P [m, r]; 6 Q [r, n];
//           7 a second result like C; 8 to 10 what the epilogue reads; absent where not asked for.
// Layout:   ld* are strides between stored rows, *Outer and *Head between matrices z = outer * heads + head; B's is that of head / share. A
//           workgroup is one tile of one matrix; the grid is folded over x and y, tiles along n first. A sum runs over k, then over r, MK steps
//           at a time, whatever the tile: all tiles give the same bits.
// Bounds:   elements past an edge are read as zeros, and are not written.

enable f16;
//#if !EMULATED
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// Subgroups work on different tiles, each all of its lanes together; the check knows only what is the same for a whole workgroup.
diagnostic(off, chromium.subgroup_matrix_uniformity);
//#end
//#include product

//#include epilogue

//#if SPLIT
//#include split

//#end
@group(0) @binding(1) var<storage, read> a: array<{{A}}>;
@group(0) @binding(2) var<storage, read> b: array<{{B}}>;

const rows = {{ROWS}}u;
const cols = {{COLS}}u;
const subRows = {{SUB_ROWS}}u;
const subCols = {{SUB_COLS}}u;
const depth = {{DEPTH}}u;
const threads = {{THREADS}}u;
const subgroups = {{THREADS}}u / {{LANES}}u;

// The tile of an operand as it is stored: lines of consecutive elements. Eight more keep the banks apart, and lines begin where 16 bytes do.
//#if TA
const aLine = rows;
const aLines = depth;
//#else
const aLine = depth;
const aLines = rows;
//#end
//#if TB
const bLine = depth;
const bLines = cols;
//#else
const bLine = cols;
const bLines = depth;
//#end
const aStride = aLine + 8u;
const bStride = bLine + 8u;
const aSize = aLines * aStride;
const bSize = bLines * bStride;
const stage = aSize + bSize;
var<workgroup> sums: array<f32, subgroups * {{MM}}u * {{MN}}u>;
var<workgroup> tile: array<f16, 2u * stage>;

//#include matrix

alias FourA = {{FOUR_A}};
alias FourB = {{FOUR_B}};

// Four elements of a stored line from `at` on, with zeros past the end of the line, for a line that is inside.
fn aFour(base: u32, line: u32, at: u32, lines: u32, end: u32) -> FourA {
  var four = FourA();
  if (line < lines) {
    let place = base + line * dims.lda + at;
//#if A_VEC4
    if (at < end) { four = FourA(a[place / 4u]); }
//#else
//#for e 4
    if (at + {{e}}u < end) { four[{{e}}] = {{ONE_A}}(a[place + {{e}}u]); }
//#end
//#end
  }
  return four;
}
fn bFour(base: u32, line: u32, at: u32, lines: u32, end: u32) -> FourB {
  var four = FourB();
  if (line < lines) {
    let place = base + line * dims.ldb + at;
//#if B_VEC4
    if (at < end) { four = FourB(b[place / 4u]); }
//#else
//#for e 4
    if (at + {{e}}u < end) { four[{{e}}] = {{ONE_B}}(b[place + {{e}}u]); }
//#end
//#end
  }
  return four;
}
//#if LOW_RANK
fn pFour(row: u32, t: u32) -> FourA {
  var four = vec4f();
//#for e 4
  if (row < dims.m && t + {{e}}u < dims.r) { four[{{e}}] = pAt(row, t + {{e}}u); }
//#end
  return FourA(four);
}
fn qFour(column: u32, t: u32) -> FourB {
  var four = vec4f();
//#for e 4
//#if TB
  if (column < dims.n && t + {{e}}u < dims.r) { four[{{e}}] = qAt(column, t + {{e}}u); }
//#else
  if (column + {{e}}u < dims.n && t < dims.r) { four[{{e}}] = qAt(column + {{e}}u, t); }
//#end
//#end
  return FourB(four);
}
//#end

// Rounds to f16.
fn putA(at: u32, four: FourA) {
//#for e 4
  tile[at + {{e}}u] = f16(four[{{e}}]);
//#end
}
fn putB(at: u32, four: FourB) {
//#for e 4
  tile[at + {{e}}u] = f16(four[{{e}}]);
//#end
}

@compute @workgroup_size({{THREADS}})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
//#include tile
  let subgroup = thread / lanes;
  let subRow = subgroup / (cols / subCols) * subRows;
  let subCol = subgroup % (cols / subCols) * subCols;
//#if EMULATED
  lane = thread % lanes;
  terms = min(dims.batch, 1u) * mk;
//#end
  // Where the matrices of this subgroup begin in a stage.
//#if TA
  let aFirst = subRow;
  const aDown = mm;
  const aNext = mk * aStride;
//#else
  let aFirst = subRow * aStride;
  const aDown = mm * aStride;
  const aNext = mk;
//#end
//#if TB
  let bFirst = aSize + subCol * bStride;
  const bDown = mn * bStride;
  const bNext = mk;
//#else
  let bFirst = aSize + subCol;
  const bDown = mn;
  const bNext = mk * bStride;
//#end

//#for i DOWN
//#for j ACROSS
  var sum_{{i}}_{{j}} = zeros({{i}}u * {{ACROSS}}u + {{j}}u);
//#end
//#end
//#for s A_LOADS
  var x{{s}}: FourA;
  let xLine{{s}} = ({{s}}u * threads + thread) / (aLine / 4u);
  let xAt{{s}} = ({{s}}u * threads + thread) % (aLine / 4u) * 4u;
//#end
//#for s B_LOADS
  var y{{s}}: FourB;
  let yLine{{s}} = ({{s}}u * threads + thread) / (bLine / 4u);
  let yAt{{s}} = ({{s}}u * threads + thread) % (bLine / 4u) * 4u;
//#end

  let whole = (end - begin + depth - 1u) / depth;
//#if LOW_RANK
  let steps = whole + select(0u, (dims.r + depth - 1u) / depth, end == dims.k);
//#else
  let steps = whole;
//#end
  // Step `fetched` is on its way or in its stage; the one before it is multiplied.
  for (var fetched = 0u; fetched <= steps; fetched++) {
    if (fetched < whole) {
      let k = begin + fetched * depth;
//#for s A_LOADS
//#if TA
      x{{s}} = aFour(aBase, k + xLine{{s}}, row0 + xAt{{s}}, end, dims.m);
//#else
      x{{s}} = aFour(aBase, row0 + xLine{{s}}, k + xAt{{s}}, dims.m, end);
//#end
//#end
//#for s B_LOADS
//#if TB
      y{{s}} = bFour(bBase, col0 + yLine{{s}}, k + yAt{{s}}, dims.n, end);
//#else
      y{{s}} = bFour(bBase, k + yLine{{s}}, col0 + yAt{{s}}, end, dims.n);
//#end
//#end
    }
//#if LOW_RANK
    if (fetched >= whole && fetched < steps) {
      let k = (fetched - whole) * depth;
//#for s A_LOADS
      x{{s}} = pFour(row0 + xLine{{s}}, k + xAt{{s}});
//#end
//#for s B_LOADS
//#if TB
      y{{s}} = qFour(col0 + yLine{{s}}, k + yAt{{s}});
//#else
      y{{s}} = qFour(col0 + yAt{{s}}, k + yLine{{s}});
//#end
//#end
    }
    if (fetched == whole + 1u && dims.scale != 1.0) {
//#for i DOWN
//#for j ACROSS
      sum_{{i}}_{{j}} = scaled(sum_{{i}}_{{j}}, dims.scale);
//#end
//#end
    }
//#end
    if (fetched > 0u) {
      let here = (fetched - 1u) % 2u * stage;
//#for t TURNS
      {
//#for i DOWN
        let left{{i}} = leftAt(here + aFirst + {{i}}u * aDown + {{t}}u * aNext);
//#end
//#for j ACROSS
        {
          let right = rightAt(here + bFirst + {{j}}u * bDown + {{t}}u * bNext);
//#for i DOWN
          sum_{{i}}_{{j}} = multiplied(left{{i}}, right, sum_{{i}}_{{j}});
//#end
        }
//#end
      }
//#end
    }
    if (fetched < steps) {
      let there = fetched % 2u * stage;
//#for s A_LOADS
      putA(there + xLine{{s}} * aStride + xAt{{s}}, x{{s}});
//#end
//#for s B_LOADS
      putB(there + aSize + yLine{{s}} * bStride + yAt{{s}}, y{{s}});
//#end
    }
    workgroupBarrier();
  }

//#for i DOWN
//#for j ACROSS
  put(subgroup * mm * mn, sum_{{i}}_{{j}});
  workgroupBarrier();
  for (var e = thread; e < subgroups * mm * mn; e += threads) {
    let owner = e / (mm * mn);
    let row = row0 + owner / (cols / subCols) * subRows + {{i}}u * mm + e % (mm * mn) / mn;
    let col = col0 + owner % (cols / subCols) * subCols + {{j}}u * mn + e % mn;
    if (row < dims.m && col < dims.n) {
      var sum = sums[e];
//#if LOW_RANK
      // Where P op(Q) came, they were scaled before it.
      if (steps == whole) { sum *= dims.scale; }
//#else
      sum *= dims.scale;
//#end
//#if SPLIT
      let at = placeOfPart(cBase + row * dims.ldc + col, part);
//#else
      let at = cBase + row * dims.ldc + col;
//#end
      store(at, finished(sum, row, col, at));
    }
  }
  workgroupBarrier();
//#end
//#end
}
