//! Every reproduction in the folder comes back, violation and digest.

use super::{path, root, stormglass};

#[test]
fn every_regression_comes_back() {
    let folder = root().join("experiments/regressions");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3);
    for file in files {
        let ran = stormglass(&["replay", path(&file)]);
        assert_eq!(ran.code, Some(0), "{}:\n{}{}", file.display(), ran.out, ran.error);
    }
}
