// The gradients of SWIGLU in zip.wgsl, y = silu(gate) up: dgate = dy up silu'(gate) and dup = dy silu(gate).
//
// Bindings: 0 Dims {count}; 1 dy [count]; 2 gate [count]; 3 up [count]; 4 dgate [count]; 5 dup [count].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;
@group(0) @binding(3) var<storage, read> up: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgate: array<f32>;
@group(0) @binding(5) var<storage, read_write> dup: array<f32>;

alias Real = f32;
//#include activations

fn element(i: u32) {
  let x = gate[i];
  dgate[i] = dy[i] * up[i] * siluSlope(x);
  dup[i] = dy[i] * silu(x);
}

//#include elements
