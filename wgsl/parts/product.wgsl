// What the kernels of matrix products share, which `//#include product` brings in: the uniform, C (f32 or f16) and the low-rank pair.
// `share` consecutive heads have one matrix of B in common; a part of a sum that is split has `part` terms.
struct Dims {
  m: u32, n: u32, k: u32, r: u32,
  lda: u32, ldb: u32, ldc: u32, heads: u32,
  aOuter: u32, aHead: u32, bOuter: u32, bHead: u32,
  cOuter: u32, cHead: u32, scale: f32, batch: u32,
  share: u32, part: u32, zero: u32, columnStep: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(3) var<storage, read_write> c: array<{{C}}>;
//#if LOW_RANK
@group(0) @binding(5) var<storage, read> p: array<f32>;
@group(0) @binding(6) var<storage, read> q: array<f32>;

fn pAt(row: u32, t: u32) -> f32 { return p[row * dims.r + t]; }
fn qAt(column: u32, t: u32) -> f32 {
//#if TB
  return q[column * dims.r + t];
//#else
  return q[t * dims.n + column];
//#end
}
//#end
