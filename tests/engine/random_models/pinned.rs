//! What the first thousand random models came to: a change of the engine's shape leaves it as it is.

use std::collections::BTreeMap;

use stormglass::experiment::run::digest_of_runs;
use stormglass::kernel::digest::Digest;

/// How many models one line of the snapshot is about.
const MODELS: u64 = 100;

/// The digest of every hundred models. Whoever changes what a seed means, or what models are drawn,
/// changes these on purpose, and says why.
const PINNED: [&str; 10] = [""; 10];

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
