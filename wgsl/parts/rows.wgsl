// The scaffolding of a row kernel, which `//#include rows` brings in: the lanes of a row, what they compute together, and `main`. The
// kernel has `rows` in its Dims and defines compute(row, lane), which all lanes of a row call together.
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

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u,
) {
//#if GROUP
  let row = group.x + group.y * groups.x;
  let lane = local;
//#else
  let row = id.x + id.y * (groups.x * 64u);
  let lane = 0u;
//#end
  if (row < dims.rows) { compute(row, lane); }
}
