//! What the first thousand random models came to: a change of the engine's shape leaves it as it
//! is.

use std::collections::BTreeMap;

use stormglass::experiment::run::digest_of_runs;
use stormglass::kernel::digest::Digest;

/// How many models one of these digests is about.
const MODELS: u64 = 100;

/// The digest of every hundred models. Whoever changes what a seed means, or what models are drawn,
/// changes these on purpose, and says why.
const PINNED: [&str; 10] = [
    "db00fdcb8a660e4d347dee0ec1420028",
    "fe8cadf9503d485b2efc23e81a2aeb88",
    "0e2ee4180cc23d56eb98141187ff1bc5",
    "276018be22df43a995438c22ee17997b",
    "23ff3b5425ff79252bf4e92c57e68295",
    "4840c644f49f71a9cc340fc83398afe8",
    "b55f0edd4925de3f3c175699bbe41331",
    "aa4b39179621d6769148ba2297a243eb",
    "46edf5df8583b6ce82a49843bb43e486",
    "3509b31304065d62579fe3169aad05a2",
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
