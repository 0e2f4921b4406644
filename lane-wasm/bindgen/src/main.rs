//! The generator of the JavaScript glue, pinned by the lockfile.

fn main() {}
