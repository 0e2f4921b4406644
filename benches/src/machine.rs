//! The line that says where figures were measured; without it they mean nothing.

use std::{fs, thread};

/// Processor, cores, kernel, and what else the machine was busy with.
#[must_use]
pub fn line() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("?").to_owned()
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?");
    format!("Machine: {}, family {}, {cores} cores, Linux {}, load {load}", field("model name"), field("cpu family"), kernel.trim())
}
