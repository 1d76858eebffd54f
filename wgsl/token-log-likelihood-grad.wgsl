// The gradient of token-log-likelihood.wgsl for the logits: dx = dy (1 at the token `next`, else 0, - e^(x - lse)) for every row.
//
// Bindings: 0 Dims {count, width}; 1 logits [rows, width], count elements; 2 next u32 [rows]; 3 lse [rows]; 4 dy [rows]; 5 dx [rows, width].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count; a token past `width` counts as the last.

struct Dims { count: u32, width: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> next: array<u32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn element(i: u32) {
  let row = i / dims.width;
  let hot = min(next[row], dims.width - 1u) == i - row * dims.width;
  dx[i] = dy[row] * (select(0.0, 1.0, hot) - exp(logits[i] - lse[row]));
}

//#include elements
