// The scaffolding of an element-wise kernel, which `//#include elements` brings in: threads that stride over the elements. The kernel has
// `count` in its Dims and defines element(i).
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) { element(i); }
}
