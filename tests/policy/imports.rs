//! A policy sees no network, no queue and no clock: of the kernel it knows times and draws only.

use std::path::{Path, PathBuf};

/// Every source file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| sources(folder)));
    files
}

#[test]
fn policies_import_times_and_draws_only() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy");
    let files = sources(&folder);
    assert!(files.len() > 30, "only {} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        for (_, path) in text.match_indices("crate::").map(|(at, _)| text[at..].split_at(7)) {
            let allowed = ["policy::", "kernel::time::", "kernel::draw::"];
            let known = allowed.iter().any(|allowed| path.starts_with(allowed));
            let line = path.lines().next().unwrap_or_default();
            assert!(known, "{} imports {line}", file.display());
        }
    }
}
