// Where the parts of sums lie that are split along k, which `//#include split` brings in after `product`: those of 64 sums in a row, one part after
// another, then those of the next 64. So the parts of products whose values lie one behind the other, in as many parts, do so, too.
fn partsOfSum() -> u32 { return (dims.k + dims.part - 1u) / dims.part; }

fn placeOfPart(sum: u32, part: u32) -> u32 { return (sum / 64u * partsOfSum() + part) * 64u + sum % 64u; }
