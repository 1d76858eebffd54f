// The gradient of softmax.wgsl: dx = scale * p (dp - sum(p dp)) for every row of probabilities p, over the columns that it sees; the others are
// not read, and are 0 in dx.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            CAUSAL, STARTS and AT say which columns a row sees, as in softmax.wgsl.
// Bindings:  0 Dims {rows, width, queries, scale, share}; 1 p [rows, width]; 2 dp [rows, width]; 3 dx [rows, width];
//            4 starts u32 [rows / share]; 5 at u32 [1]; the last two absent where not asked for.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, queries: u32, scale: f32, share: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> p: array<f32>;
@group(0) @binding(2) var<storage, read> dp: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

//#include seen

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;
  let columns = seen(row / dims.share, row % dims.queries, dims.width);
  let begin = columns.begin + lane;

  var dot = 0.0;
  for (var c = begin; c < columns.end; c += lanes) { dot = fma(p[base + c], dp[base + c], dot); }
  dot = total(lane, dot);

  for (var c = begin; c < columns.end; c += lanes) { dx[base + c] = dims.scale * p[base + c] * (dp[base + c] - dot); }
  for (var c = lane; c < columns.begin; c += lanes) { dx[base + c] = 0.0; }
  for (var c = columns.end + lane; c < dims.width; c += lanes) { dx[base + c] = 0.0; }
}
