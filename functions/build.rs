//! How every function's binary is linked.
#![expect(clippy::disallowed_methods, reason = "this is how Cargo tells a build script anything")]

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=PROFILE");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    // At an address of its own: else a cold start begins with 32,000 relocations, a fifth of all that it does. (That code
    // lies where nobody knows makes an attack on memory harder; there is next to no code here that could be attacked so.)
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
