//! Builds what is measured.

use std::env;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;

use crate::Result;
use crate::process::check_interrupted;

/// Builds one binary and tells where it is. One package at a time, as for deployment: cargo joins the features of all
/// packages it builds together, and a function would get those of the local runner.
pub fn release(root: &Path, package: &str, binary: &str) -> Result<PathBuf> {
    eprintln!("bench: building {binary}");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    // Variables that `cargo run` sets for this package alone; some build scripts would see a change and run again.
    for (key, _) in env::vars_os() {
        if key.to_string_lossy().starts_with("CARGO_PKG_") || key.to_string_lossy().starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(key);
        }
    }
    let output = cargo
        .current_dir(root)
        .args(["build", "--release", "--quiet", "--message-format=json-render-diagnostics"])
        .args(["--package", package, "--bin", binary])
        .stderr(Stdio::inherit())
        .output()?;
    check_interrupted()?;
    if !output.status.success() {
        return Err(format!("cargo could not build {binary}").into());
    }
    let messages = String::from_utf8(output.stdout)?;
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    Ok(executable.ok_or_else(|| format!("cargo did not say where {binary} is"))?)
}

/// Bytes of a zip with the binary in it, named `bootstrap`.
pub fn zip_size(binary: &Path) -> Result<u64> {
    /// Local header, directory entry, end of directory; the name stands in the first two.
    const AROUND: usize = 30 + 46 + 22 + 2 * "bootstrap".len();
    let mut deflate = DeflateEncoder::new(io::sink(), Compression::default());
    io::copy(&mut File::open(binary)?, &mut deflate)?;
    deflate.try_finish()?;
    Ok(deflate.total_out() + AROUND as u64)
}
