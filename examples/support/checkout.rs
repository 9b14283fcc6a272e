//! Paths in the repository.

use std::path::Path;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the examples are a folder of the repository")
}

/// A path relative to the root, if it is below it.
pub fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.strip_prefix("examples/..").unwrap_or(path).display().to_string()
}
