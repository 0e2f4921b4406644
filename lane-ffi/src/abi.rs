/// The number of the binary interface: it grows when a program that was compiled against an older header would no
/// longer run rightly. The shared library carries it in its SONAME. New functions, new status codes and new fields
/// at the end of sized structs leave it as it is.
pub const LANE_ABI_VERSION: u32 = 1;
