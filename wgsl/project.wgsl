// out = x - C op(M): takes out of the rows of x what lies in the span of the orthonormal columns of M, given C = x M, the coefficients of the rows.
// A matrix product whose sums are not stored but subtracted from x at once.
//
// Constants: those of matmul-registers.wgsl, whose tile this is; TB, because M is stored [d, k] and multiplied as [k, d].
// Bindings:  0 Dims, those of a product [m, k] [k, n]; 1 C [m, k]; 2 M [n, k]; 3 out [m, n]; 7 x [m, n].
// Layout:    a workgroup is one tile of out; the grid is folded over x and y. The rank k is summed in ascending order.
// Bounds:    a row or column past the edge reads the last one instead, and is not written.

//#if BROADCAST
enable subgroups;

//#end
//#include product

@group(0) @binding(7) var<storage, read> x: array<f32>;

fn finished(sum: f32, row: u32, column: u32, at: u32) -> f32 { return x[at] - sum; }

fn store(at: u32, value: f32) { c[at] = {{C}}(value); }

//#include registers
