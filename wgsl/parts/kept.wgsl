// What keeps steps of an expression apart, which `//#include kept` brings in: a value as it is, which a compiler does not know. It would contract
// a product and a sum to one fma, or take out a common factor, and the bits would be others than those of one step after another. The kernel
// has `zero` in its Dims, which is 0.
fn kept(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ dims.zero); }
