//! Names the shared library as its users will find it: the number behind `.so` is that of the ABI.

include!("src/abi.rs");

fn main() {
    println!("cargo::rerun-if-changed=src/abi.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    match target.as_str() {
        "linux" | "freebsd" | "android" => println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liblane.so.{LANE_ABI_VERSION}"),
        "macos" => println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/liblane.{LANE_ABI_VERSION}.dylib"),
        _ => {}
    }
}
