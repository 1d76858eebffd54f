// What the kernels of attention share, which `//#include attention` brings in: their operands, the tiles in workgroup memory, and the two
// products.
//
// A workgroup of 64 threads, 8 down and 8 across, keeps `tall` rows (queries or keys) in workgroup memory, while tiles of 32 rows of the other
// side are brought in one after another. Of a map of `tall` by 32 scores a thread has ROWS rows (down, down + 8, …) and four columns that lie
// together; of sums as wide as a head it has the same rows, and every eighth vec4 from `across` on. So eight fma follow a load from workgroup
// memory, and nothing is exchanged between threads but the weights of a tile. Rows in workgroup memory are `stride` vec4 apart, an odd number,
// and row 4 a + b of a tile lies at 8 b + a: the eight rows that are read at a time lie in different banks. What is past the rows or the width of
// a head is 0.
//
// Constants: ROWS; DEPTH, the vec4 that hold a head's width; WIDE = DEPTH / 8, rounded up; VEC4 where the width is a multiple of four; KEPT, how
//            many operands are kept; GRADIENT where there is dy, OUTPUT where o is read. Q, K, V and O say what is stored: f32 or f16, with VEC4
//            vec4f or vec4h; HALF that one of them is f16.
struct Dims { batch: u32, heads: u32, share: u32, queries: u32, keys: u32, width: u32, scale: f32 }

//#if VEC4
alias Real = vec4f;
//#else
alias Real = f32;
//#end

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> q: array<{{Q}}>;
@group(0) @binding(2) var<storage, read> k: array<{{K}}>;
@group(0) @binding(3) var<storage, read> v: array<{{V}}>;
//#if GRADIENT
@group(0) @binding(4) var<storage, read> dy: array<Real>;
//#end
//#if OUTPUT
@group(0) @binding(6) var<storage, read> o: array<{{O}}>;
//#end

// The score of a key that is not seen: its exponential is 0.
const lowest = -3.402823e38;

const queryRows = 0u;
const keyRows = 1u;
const valueRows = 2u;
const gradientRows = 3u;
const outputRows = 4u;

fn stored(which: u32, at: u32) -> Real {
  switch which {
    case queryRows: { return Real(q[at]); }
    case keyRows: { return Real(k[at]); }
//#if GRADIENT
    case gradientRows: { return dy[at]; }
//#end
//#if OUTPUT
    case outputRows: { return Real(o[at]); }
//#end
    default: { return Real(v[at]); }
  }
}

const tall = 8u * {{ROWS}}u;
const wide = 32u;
const depth = {{DEPTH}}u;
const stride = depth | 1u;

var<workgroup> kept: array<vec4f, {{KEPT}} * tall * stride>;
var<workgroup> passing: array<vec4f, wide * stride>;
// The weights of a tile [tall, 32], a row 9 vec4 from the next.
var<workgroup> weights: array<vec4f, tall * 9u>;

// The rows of one head: [count, width], `ld` elements from one to the next.
struct Rows { base: u32, ld: u32, count: u32 }

fn queriesOf(sample: u32, head: u32) -> Rows {
  let ld = dims.heads * dims.width;
  return Rows(sample * dims.queries * ld + head * dims.width, ld, dims.queries);
}

fn keysOf(sample: u32, keyHead: u32) -> Rows {
  let ld = dims.heads / dims.share * dims.width;
  return Rows(sample * dims.keys * ld + keyHead * dims.width, ld, dims.keys);
}

fn four(which: u32, rows: Rows, row: u32, column: u32) -> vec4f {
  if (row >= rows.count) { return vec4f(); }
  let at = rows.base + row * rows.ld + 4u * column;
//#if VEC4
  return stored(which, at / 4u);
//#else
  var x = vec4f(stored(which, at), 0.0, 0.0, 0.0);
  let left = dims.width - 4u * column;
  if (left > 1u) { x.y = stored(which, at + 1u); }
  if (left > 2u) { x.z = stored(which, at + 2u); }
  if (left > 3u) { x.w = stored(which, at + 3u); }
  return x;
//#end
}

// DEPTH, as a number that a compiler does not know: unrolled by it, the loops would be so long that llvmpipe takes a minute to compile them.
fn deep() -> u32 { return (dims.width + 3u) / 4u; }

// Loads the rows that are kept, those from `first` on, as operand `place`.
fn keep(place: u32, which: u32, rows: Rows, first: u32, local: u32) {
  let end = tall * deep();
  for (var i = local; i < end; i += 64u) {
    kept[(place * tall + i / depth) * stride + i % depth] = four(which, rows, first + i / depth, i % depth);
  }
}

// Loads a tile of 32 rows, those from `first` on.
fn bring(which: u32, rows: Rows, first: u32, local: u32) {
  let end = wide * deep();
  for (var i = local; i < end; i += 64u) {
    let row = i / depth;
    passing[(row % 4u * 8u + row / 4u) * stride + i % depth] = four(which, rows, first + row, i % depth);
  }
}

alias Scores = array<vec4f, {{ROWS}}>;
alias Sums = array<array<vec4f, {{WIDE}}>, {{ROWS}}>;

// The products of a thread's rows of the kept operand `place` with its four rows of the tile.
fn scores(place: u32, down: u32, across: u32) -> Scores {
//#for i ROWS
  var s{{i}} = vec4f();
//#end
  let end = deep();
  for (var c = 0u; c < end; c += 1u) {
    let a = passing[across * stride + c];
    let b = passing[(8u + across) * stride + c];
    let e = passing[(16u + across) * stride + c];
    let f = passing[(24u + across) * stride + c];
    let x = vec4f(a.x, b.x, e.x, f.x);
    let y = vec4f(a.y, b.y, e.y, f.y);
    let z = vec4f(a.z, b.z, e.z, f.z);
    let w = vec4f(a.w, b.w, e.w, f.w);
//#for i ROWS
    let r{{i}} = kept[(place * tall + down + 8u * {{i}}u) * stride + c];
    s{{i}} = fma(vec4f(r{{i}}.x), x, s{{i}});
    s{{i}} = fma(vec4f(r{{i}}.y), y, s{{i}});
    s{{i}} = fma(vec4f(r{{i}}.z), z, s{{i}});
    s{{i}} = fma(vec4f(r{{i}}.w), w, s{{i}});
//#end
  }
  return Scores(
//#for i ROWS
    s{{i}},
//#end
  );
}

// Writes a thread's part of the weights of a tile.
fn publish(part: Scores, down: u32, across: u32) {
//#for i ROWS
  weights[(down + 8u * {{i}}u) * 9u + across] = part[{{i}}];
//#end
}

// How many times four rows of a tile there are, where `count` rows begin with it.
fn quadsOf(count: u32) -> u32 { return (min(count, wide) + 3u) / 4u; }

// Adds the rows of the tile, four times `quads` of them, times the weights.
fn weigh(sums: ptr<function, Sums>, down: u32, across: u32, quads: u32) {
//#for c WIDE
  let column{{c}} = min(across + 8u * {{c}}u, depth - 1u);
//#end
  for (var j = 0u; j < quads; j += 1u) {
//#for c WIDE
    let x{{c}} = passing[j * stride + column{{c}}];
    let y{{c}} = passing[(8u + j) * stride + column{{c}}];
    let z{{c}} = passing[(16u + j) * stride + column{{c}}];
    let w{{c}} = passing[(24u + j) * stride + column{{c}}];
//#end
//#for i ROWS
    let p{{i}} = weights[(down + 8u * {{i}}u) * 9u + j];
//#for c WIDE
    (*sums)[{{i}}][{{c}}] = fma(vec4f(p{{i}}.x), x{{c}}, (*sums)[{{i}}][{{c}}]);
    (*sums)[{{i}}][{{c}}] = fma(vec4f(p{{i}}.y), y{{c}}, (*sums)[{{i}}][{{c}}]);
    (*sums)[{{i}}][{{c}}] = fma(vec4f(p{{i}}.z), z{{c}}, (*sums)[{{i}}][{{c}}]);
    (*sums)[{{i}}][{{c}}] = fma(vec4f(p{{i}}.w), w{{c}}, (*sums)[{{i}}][{{c}}]);
//#end
//#end
  }
}

// Writes a thread's sums to the rows of an output from `first` on, by put(which, at, value), which the kernel defines.
fn store(which: u32, rows: Rows, first: u32, sums: Sums, down: u32, across: u32) {
//#for i ROWS
//#for c WIDE
  storeFour(which, rows, first + down + 8u * {{i}}u, across + 8u * {{c}}u, sums[{{i}}][{{c}}]);
//#end
//#end
}

fn storeFour(which: u32, rows: Rows, row: u32, column: u32, x: vec4f) {
  if (row >= rows.count || column >= depth) { return; }
  let at = rows.base + row * rows.ld + 4u * column;
//#if VEC4
  put(which, at / 4u, x);
//#else
  let left = dims.width - 4u * column;
  put(which, at, x.x);
  if (left > 1u) { put(which, at + 1u, x.y); }
  if (left > 2u) { put(which, at + 2u, x.z); }
  if (left > 3u) { put(which, at + 3u, x.w); }
//#end
}
