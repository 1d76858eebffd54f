// What the lanes of a workgroup compute together, which `//#include lanes` brings in: with GROUP 64 lanes, else one.
//#if GROUP
const lanes = 64u;
var<workgroup> shares: array<f32, 64>;

// The sum of one value of every lane, by halves, for every lane to see.
fn total(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  shares[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
  return shares[0];
}

// The greatest of one value of every lane, likewise.
fn greatest(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  shares[lane] = value;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shares[lane] = max(shares[lane], shares[lane + half]); }
  }
  workgroupBarrier();
  return shares[0];
}
//#else
const lanes = 1u;
fn total(lane: u32, value: f32) -> f32 { return value; }
fn greatest(lane: u32, value: f32) -> f32 { return value; }
//#end
