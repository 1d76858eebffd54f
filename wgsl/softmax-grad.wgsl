// The gradient of softmax.wgsl: dx = scale * p (dp - sum(p dp)) for every row of probabilities p.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            CAUSAL makes row r the query q = r % queries of an attention map: columns after q are not read, and are 0 in dx.
// Bindings:  0 Dims {rows, width, queries, scale}; 1 p [rows, width]; 2 dp [rows, width]; 3 dx [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, queries: u32, scale: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> dp: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;
//#if CAUSAL
  let end = min(row % dims.queries + 1u, dims.width);
//#else
  let end = dims.width;
//#end

  var dot = 0.0;
  for (var c = lane; c < end; c += lanes) { dot = fma(p[base + c], dp[base + c], dot); }
  dot = total(lane, dot);

  for (var c = lane; c < end; c += lanes) { dx[base + c] = dims.scale * p[base + c] * (dp[base + c] - dot); }
//#if CAUSAL
  for (var c = end + lane; c < dims.width; c += lanes) { dx[base + c] = 0.0; }
//#end
}
