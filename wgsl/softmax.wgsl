// y = softmax(scale * x) for every row, over the columns that it sees; the others are not read, and are 0 in y. A row that sees none is 0.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
//            CAUSAL makes row r the query q = r % queries of an attention map: columns after q + at are not seen.
//            STARTS hides the columns before starts[r / share], where share is the rows of a sample. Without AT, at is 0.
// Bindings:  0 Dims {rows, width, queries, scale, share}; 1 x [rows, width]; 2 y [rows, width]; 4 starts u32 [rows / share]; 5 at u32 [1];
//            the last two absent where not asked for.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32, queries: u32, scale: f32, share: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

//#include seen

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;
  let columns = seen(row / dims.share, row % dims.queries, dims.width);
  let begin = columns.begin + lane;

  var top = -3.402823e38;
  for (var c = begin; c < columns.end; c += lanes) { top = max(top, dims.scale * x[base + c]); }
  top = greatest(lane, top);

  var sum = 0.0;
  for (var c = begin; c < columns.end; c += lanes) {
    let e = exp(dims.scale * x[base + c] - top);
    y[base + c] = e;
    sum += e;
  }
  sum = total(lane, sum);

  for (var c = begin; c < columns.end; c += lanes) { y[base + c] /= sum; }
  for (var c = lane; c < columns.begin; c += lanes) { y[base + c] = 0.0; }
  for (var c = columns.end + lane; c < dims.width; c += lanes) { y[base + c] = 0.0; }
}
