// y = log softmax(x) at one column of every row: how likely the logits x hold the token `next` for.
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 logits [rows, width]; 2 next u32 [rows]; 3 y [rows];
//            4 lse [rows], the logarithm of the sum of e^x, for the gradient.
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return; a token past `width` counts as the last.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> next: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;

  var top = -3.402823e38;
  for (var c = lane; c < dims.width; c += lanes) { top = max(top, logits[base + c]); }
  top = greatest(lane, top);

  // In runs of 256 columns a lane: tens of thousands of small terms, each added to all before it, would be rounded away.
  var sum = 0.0;
  let run = 256u * lanes;
  for (var first = lane; first < dims.width; first += run) {
    var part = 0.0;
    for (var c = first; c < min(first + run, dims.width); c += lanes) { part += exp(logits[base + c] - top); }
    sum += part;
  }
  let logarithm = log(total(lane, sum));

  if (lane == 0u) {
    // x - top first: it is exact for the greatest logit, whatever its size.
    y[row] = (logits[base + min(next[row], dims.width - 1u)] - top) - logarithm;
    lse[row] = top + logarithm;
  }
}
