// A tile of a matrix product in registers, which `//#include registers` brings in: matmul-registers.wgsl says how it works and what its
// constants are. The kernel has the Dims of a product, and defines what is stored: finished(sum, row, column, at) and store(at, finished).
//#if SWAP
@group(0) @binding(2) var<storage, read> left: array<{{LEFT}}>;
@group(0) @binding(1) var<storage, read> right: array<{{RIGHT}}>;
//#else
@group(0) @binding(1) var<storage, read> left: array<{{LEFT}}>;
@group(0) @binding(2) var<storage, read> right: array<{{RIGHT}}>;
//#end

const rows = {{ROWS}}u;
const quads = {{QUADS}}u;
const cols = {{COLS}}u;
const lanes = {{LANES}}u;
const slots = {{SLOTS}}u;

// Element `at`, and the four elements that begin there: consecutive ones of a vec4, or `step` apart.
//#if LEFT_VEC4
fn leftOne(at: u32) -> f32 { return f32(left[at / 4u][at % 4u]); }
fn leftFour(at: u32, step: u32) -> vec4f { return vec4f(left[at / 4u]); }
//#else
fn leftOne(at: u32) -> f32 { return f32(left[at]); }
fn leftFour(at: u32, step: u32) -> vec4f { return vec4f(leftOne(at), leftOne(at + step), leftOne(at + 2u * step), leftOne(at + 3u * step)); }
//#end
//#if RIGHT_VEC4
fn rightOne(at: u32) -> f32 { return f32(right[at / 4u][at % 4u]); }
fn rightFour(at: u32, step: u32) -> vec4f { return vec4f(right[at / 4u]); }
//#else
fn rightOne(at: u32) -> f32 { return f32(right[at]); }
fn rightFour(at: u32, step: u32) -> vec4f { return vec4f(rightOne(at), rightOne(at + step), rightOne(at + 2u * step), rightOne(at + 3u * step)); }
//#end

//#if BROADCAST
@compute @workgroup_size({{LANES}})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
//#else
@compute @workgroup_size({{LANES}})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
//#end
  let tile = group.x + group.y * groups.x;
//#if SWAP
  let rowCount = dims.n;
  let colCount = dims.m;
  let leftLd = dims.ldb;
  let rightLd = dims.lda;
//#else
  let rowCount = dims.m;
  let colCount = dims.n;
  let leftLd = dims.lda;
  let rightLd = dims.ldb;
//#end
  let tilesAcross = (colCount + cols * lanes - 1u) / (cols * lanes);
  let tiles = tilesAcross * ((rowCount + rows - 1u) / rows);
  let z = tile / tiles;
  if (z >= dims.batch) { return; }
  let row0 = (tile % tiles) / tilesAcross * rows;
  let col0 = (tile % tilesAcross) * cols * lanes;
  let outer = z / dims.heads;
  let head = z % dims.heads;
//#if SWAP
  let leftBase = outer * dims.bOuter + head / dims.share * dims.bHead;
  let rightBase = outer * dims.aOuter + head * dims.aHead;
//#else
  let leftBase = outer * dims.aOuter + head * dims.aHead;
  let rightBase = outer * dims.bOuter + head / dims.share * dims.bHead;
//#end

  // Strides from one k to the next, and the place of each vector at k = 0: of 4 k of one row or, ACROSS, of 4 rows of one k.
//#if LEFT_BY_K
  let leftK = leftLd;
  let leftRow = 1u;
//#else
  let leftK = 1u;
  let leftRow = leftLd;
//#end
//#if RIGHT_BY_K
  let rightK = rightLd;
  let rightRow = 1u;
//#else
  let rightK = 1u;
  let rightRow = rightLd;
//#end
  var leftPlace: array<u32, slots>;
//#for s SLOTS
//#if BROADCAST
  let share{{s}} = min({{s}}u * lanes + lane, rows - 1u);
//#else
  let share{{s}} = {{s}}u;
//#end
//#if LEFT_ACROSS
  leftPlace[{{s}}] = leftBase + share{{s}} / quads * leftLd + min(row0 + share{{s}} % quads * 4u, rowCount - 4u);
//#else
  leftPlace[{{s}}] = leftBase + min(row0 + share{{s}}, rowCount - 1u) * leftRow;
//#end
//#end
  var col: array<u32, cols>;
  var rightPlace: array<u32, cols>;
//#for j COLS
//#if RIGHT_ACROSS
  col[{{j}}] = col0 + ({{j}}u / 4u * lanes + lane) * 4u + {{j}}u % 4u;
  rightPlace[{{j}}] = rightBase + {{j}}u % 4u * rightLd + min(col[{{j}}] / 4u * 4u, colCount - 4u);
//#else
  col[{{j}}] = col0 + {{j}}u * lanes + lane;
  rightPlace[{{j}}] = rightBase + min(col[{{j}}], colCount - 1u) * rightRow;
//#end
//#end

  var sum: array<array<vec4f, cols>, quads>;
  let whole = dims.k / 4u * 4u;
  for (var k = 0u; k < whole; k += 4u) {
    var x: array<vec4f, slots>;
    var y: array<vec4f, cols>;
//#for j COLS
    y[{{j}}] = rightFour(rightPlace[{{j}}] + k * rightK, rightK);
//#end
//#for s SLOTS
    x[{{s}}] = leftFour(leftPlace[{{s}}] + k * leftK, leftK);
//#end
//#for i QUADS
    {
      // The columns of t are 4 rows at k, k + 1, k + 2 and k + 3.
//#for e 4
//#if LEFT_ACROSS
      const e{{e}} = {{e}}u * quads + {{i}}u;
//#else
      const e{{e}} = {{i}}u * 4u + {{e}}u;
//#end
//#if BROADCAST
      let x{{e}} = subgroupBroadcast(x[e{{e}} / lanes], e{{e}} % lanes);
//#else
      let x{{e}} = x[e{{e}}];
//#end
//#end
//#if LEFT_ACROSS
      let t = mat4x4f(x0, x1, x2, x3);
//#else
      let t = transpose(mat4x4f(x0, x1, x2, x3));
//#end
//#for j COLS
//#for e 4
//#if RIGHT_ACROSS
      sum[{{i}}][{{j}}] = fma(t[{{e}}], vec4f(y[{{j}}u / 4u * 4u + {{e}}u][{{j}}u % 4u]), sum[{{i}}][{{j}}]);
//#else
      sum[{{i}}][{{j}}] = fma(t[{{e}}], vec4f(y[{{j}}][{{e}}]), sum[{{i}}][{{j}}]);
//#end
//#end
//#end
    }
//#end
  }
//#if TAIL
  for (var k = whole; k < dims.k; k++) {
    var x: array<f32, slots>;
//#for s SLOTS
    x[{{s}}] = leftOne(leftBase + min(row0 + share{{s}}, rowCount - 1u) * leftRow + k * leftK);
//#end
//#for j COLS
    let y{{j}} = rightOne(rightBase + min(col[{{j}}], colCount - 1u) * rightRow + k * rightK);
//#end
//#for i QUADS
//#if BROADCAST
    let t{{i}} = vec4f(
//#for e 4
      subgroupBroadcast(x[({{i}}u * 4u + {{e}}u) / lanes], ({{i}}u * 4u + {{e}}u) % lanes),
//#end
    );
//#else
    let t{{i}} = vec4f(x[{{i}}u * 4u], x[{{i}}u * 4u + 1u], x[{{i}}u * 4u + 2u], x[{{i}}u * 4u + 3u]);
//#end
//#for j COLS
    sum[{{i}}][{{j}}] = fma(t{{i}}, vec4f(y{{j}}), sum[{{i}}][{{j}}]);
//#end
//#end
  }
//#end
//#for i QUADS
//#for j COLS
  sum[{{i}}][{{j}}] *= dims.scale;
//#end
//#end

//#if LOW_RANK
  for (var k = 0u; k < dims.r; k++) {
    var x: array<f32, slots>;
//#for s SLOTS
    let from{{s}} = min(row0 + share{{s}}, rowCount - 1u);
//#if SWAP
    x[{{s}}] = qAt(from{{s}}, k);
//#else
    x[{{s}}] = pAt(from{{s}}, k);
//#end
//#end
//#for j COLS
//#if SWAP
    let y{{j}} = pAt(min(col[{{j}}], colCount - 1u), k);
//#else
    let y{{j}} = qAt(min(col[{{j}}], colCount - 1u), k);
//#end
//#end
//#for i QUADS
//#if BROADCAST
    let t{{i}} = vec4f(
//#for e 4
      subgroupBroadcast(x[({{i}}u * 4u + {{e}}u) / lanes], ({{i}}u * 4u + {{e}}u) % lanes),
//#end
    );
//#else
    let t{{i}} = vec4f(x[{{i}}u * 4u], x[{{i}}u * 4u + 1u], x[{{i}}u * 4u + 2u], x[{{i}}u * 4u + 3u]);
//#end
//#for j COLS
    sum[{{i}}][{{j}}] = fma(t{{i}}, vec4f(y{{j}}), sum[{{i}}][{{j}}]);
//#end
//#end
  }
//#end

//#if SWAP
  let cRow = 1u;
  let cCol = dims.ldc;
//#else
  let cRow = dims.ldc;
  let cCol = 1u;
//#end
  let cBase = outer * dims.cOuter + head * dims.cHead;
//#for i QUADS
//#for j COLS
  if (col[{{j}}] < colCount) {
//#for e 4
    let i{{e}} = min(row0 + {{i}}u * 4u + {{e}}u, rowCount - 1u);
    let at{{e}} = cBase + i{{e}} * cRow + col[{{j}}] * cCol;
//#if SWAP
    let v{{e}} = finished(sum[{{i}}][{{j}}][{{e}}], col[{{j}}], i{{e}}, at{{e}});
//#else
    let v{{e}} = finished(sum[{{i}}][{{j}}][{{e}}], i{{e}}, col[{{j}}], at{{e}});
//#end
//#end
//#for e 4
    if (row0 + {{i}}u * 4u + {{e}}u < rowCount) { store(at{{e}}, v{{e}}); }
//#end
  }
//#end
//#end
}
