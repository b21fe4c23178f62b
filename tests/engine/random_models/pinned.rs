//! What the first thousand random models came to: a change of the engine's shape leaves it as it
//! is.

use std::collections::BTreeMap;

use stormglass::experiment::run::result::digest_of_runs;
use stormglass::kernel::digest::Digest;

/// How many models one of these digests is about.
const MODELS: u64 = 100;

/// The digest of every hundred models. Whoever changes what a seed means, or what models are drawn,
/// changes these on purpose, and says why.
const PINNED: [&str; 10] = [
    "aeaa752fe1fe7238e8c796b6c87ae0f7",
    "5623515a8c669e85d68bfbd2f75b734b",
    "7379bebbcc1c9936a0fbfa5375c6bd0a",
    "18ef65e504a2ca0230602e74af3c1a66",
    "9ec122e6d2969860b0f3f43d3b49387c",
    "c9d6e75e0a1b17d7b4a93fddb7fb0558",
    "603ea3138efb98ffa9a982f3566a1da4",
    "644e86ddf702cb181c2e167a94267baa",
    "5ca50d4acb21849c3aaa1dae449ee430",
    "cbd491ebe71f1c50336d3566a021c671",
];

/// Compares every whole hundred that was tried.
pub(super) fn assert_are_pinned(digests: &BTreeMap<u64, Digest>) {
    let came_to = |hundred: u64| {
        let seeds = hundred * MODELS..(hundred + 1) * MODELS;
        let runs: Option<Vec<_>> =
            seeds.map(|seed| digests.get(&seed).map(|&digest| (seed, digest))).collect();
        runs.map(|runs| digest_of_runs(runs.into_iter()).to_string())
    };
    let tried = (0..).zip(PINNED).filter_map(|(hundred, pinned)| Some((pinned, came_to(hundred)?)));
    let (pinned, found): (Vec<_>, Vec<_>) = tried.unzip();
    assert_eq!(pinned, found, "models come to other digests than before");
}
