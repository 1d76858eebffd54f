// Where the value of a product goes, which `//#include store` brings in.
fn store(at: u32, value: f32) {
//#if ADD
  c[at] = {{C}}(f32(c[at]) + value);
//#else
  c[at] = {{C}}(value);
//#end
}
