// The scaffolding of a row kernel, which `//#include rows` brings in: the lanes of a row, what they compute together, and `main`. The
// kernel has `rows` in its Dims and defines compute(row, lane), which all lanes of a row call together.
//#include lanes

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
