// The gradient of cross-entropy.wgsl for the logits: dx = dloss (softmax(x) sum(t) - t) for every row, with softmax(x) = e^(x - lse).
//
// Constants: GROUP gives a row to a workgroup of 64 lanes; else a thread has a row of its own, and all lanes are one.
// Bindings:  0 Dims {rows, width}; 1 logits [rows, width]; 2 targets [rows, width]; 3 lse [rows]; 4 dloss [rows]; 5 dx [rows, width].
// Layout:    lanes stride over the columns, so that a workgroup reads a row contiguously; the grid is folded over x and y.
// Bounds:    threads past `rows` return.

struct Dims { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> dloss: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

//#include rows

fn compute(row: u32, lane: u32) {
  let base = row * dims.width;

  var mass = 0.0;
  for (var c = lane; c < dims.width; c += lanes) { mass += targets[base + c]; }
  mass = total(lane, mass);

  for (var c = lane; c < dims.width; c += lanes) {
    dx[base + c] = dloss[row] * fma(exp(logits[base + c] - lse[row]), mass, -targets[base + c]);
  }
}
