//! Keyed randomness: a draw is a function of what it is for, not of how many draws came before.
//!
//! The master seed is expanded by ChaCha8 into the key of a counter-based generator,
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
//! SC'11). The counter names the draw: which purpose, which site, which work, which index. So two
//! runs of the same seed see equal draws wherever they do the same thing, whatever else differs.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a draw is for. Part of its name, so that draws for different purposes never collide.
///
/// The numbers are part of the trace format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Purpose {
    /// The gap before the next arrival.
    Arrival = 0,
    /// Which key a request is about.
    Key = 1,
    /// How long a unit of work takes.
    Service = 2,
    /// How long a message travels.
    Latency = 3,
    /// Whether a message is lost.
    Loss = 4,
    /// Whether a call is made to fail.
    Error = 5,
    /// Jitter and every other random choice of a policy.
    Policy = 6,
    /// How far a replica lags.
    Lag = 7,
    /// Which instance a balancer picks.
    Balance = 8,
    /// How long a user thinks.
    Think = 9,
    /// Fault plans drawn from rates.
    Fault = 10,
    /// Which process a user arrives at.
    Process = 11,
    /// Which of several things is done: an operation of a mix, a branch of a handler.
    Choice = 12,
    /// When a process with two states changes its state.
    Burst = 13,
    /// Whether a message arrives twice, and when the second one does.
    Duplicate = 14,
    /// Whether a message is overtaken, and by how much it is late.
    Reorder = 15,
    /// Random choices of a waiting line about what it drops.
    Shed = 16,
    /// When a node stops for a while, and for how long.
    Pause = 17,
    /// Whether a cached row is fetched again before it expires.
    Refresh = 18,
}

/// How many purposes there are.
pub const PURPOSES: usize = 19;

impl Purpose {
    /// Every purpose, in the order of its number.
    pub const ALL: [Purpose; PURPOSES] = [
        Purpose::Arrival,
        Purpose::Key,
        Purpose::Service,
        Purpose::Latency,
        Purpose::Loss,
        Purpose::Error,
        Purpose::Policy,
        Purpose::Lag,
        Purpose::Balance,
        Purpose::Think,
        Purpose::Fault,
        Purpose::Process,
        Purpose::Choice,
        Purpose::Burst,
        Purpose::Duplicate,
        Purpose::Reorder,
        Purpose::Shed,
        Purpose::Pause,
        Purpose::Refresh,
    ];
}

/// One uniform draw of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw(pub u64);

const TWO_POW_MINUS_53: f64 = 1.0 / 9_007_199_254_740_992.0;

impl Draw {
    /// The draw as a number in [0, 1), with 53 bits.
    #[must_use]
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 * TWO_POW_MINUS_53
    }

    /// The draw as a number in (0, 1], with 53 bits: safe under a logarithm.
    #[must_use]
    pub fn unit_open_zero(self) -> f64 {
        ((self.0 >> 11) + 1) as f64 * TWO_POW_MINUS_53
    }

    /// The draw as an integer in `0..bound`, by the high word of a product.
    ///
    /// # Panics
    /// In debug builds, if `bound` is zero.
    #[must_use]
    pub fn below(self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }

    /// The draw whose [`unit`](Draw::unit) is `unit`, for replaying recorded draws.
    #[must_use]
    pub fn from_unit(unit: f64) -> Draw {
        Draw(((unit / TWO_POW_MINUS_53) as u64) << 11)
    }
}

/// A probability as an integer threshold, so that no rounding decides whether an event happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u64);

impl Probability {
    /// It never happens.
    pub const NEVER: Probability = Probability(0);
    const ONE: u64 = 1 << 63;

    /// The probability nearest to `p` from below; values outside [0, 1] are clamped.
    #[must_use]
    pub fn new(p: f64) -> Probability {
        Probability((p.clamp(0.0, 1.0) * Probability::ONE as f64) as u64)
    }

    /// Whether it happens under this draw. Monotone: what happens at `p` happens at every larger.
    #[must_use]
    pub fn happens(self, draw: Draw) -> bool {
        draw.0 >> 1 < self.0
    }

    /// Whether it can never happen: then no draw is needed.
    #[must_use]
    pub fn is_never(self) -> bool {
        self.0 == 0
    }

    /// The first draw, as a number, under which it does not happen; saturates at 1.
    #[must_use]
    pub fn threshold(self) -> u64 {
        self.0.saturating_mul(2)
    }

    /// The probability as a number in [0, 1].
    #[must_use]
    pub fn value(self) -> f64 {
        self.0 as f64 / Probability::ONE as f64
    }

    /// The probability that at least one of two independent events happens.
    #[must_use]
    pub fn or(self, other: Probability) -> Probability {
        let (a, b) = (u128::from(self.0), u128::from(other.0));
        Probability((a + b - ((a * b) >> 63)) as u64)
    }
}

/// The source of every draw of one run, with a digest of the draws of each purpose.
#[derive(Clone, Debug)]
pub struct Draws {
    keys: RoundKeys,
    tallies: [u64; PURPOSES],
}

impl Draws {
    /// The draws of a run with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Draws {
        let key = stream(seed, 0).next_u64();
        let keys = round_keys([key as u32, (key >> 32) as u32]);
        Draws { keys, tallies: [0; PURPOSES] }
    }

    /// Lets every draw from now on be that of a run with another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.keys = Draws::new(seed).keys;
    }

    /// The draw named by (purpose, site, work, index).
    ///
    /// `site` is where: a stable id of a node, link or step. `work` is for what: the stable key of
    /// a request or attempt. `index` counts the draws of the same name, from 0.
    pub fn draw(&mut self, purpose: Purpose, site: u32, work: u64, index: u16) -> Draw {
        let name = u32::from(purpose as u16) << 16 | u32::from(index);
        let block = philox4x32([name, site, work as u32, (work >> 32) as u32], &self.keys);
        let draw = Draw(u64::from(block[1]) << 32 | u64::from(block[0]));
        // The block is a mix of the draw's whole name, so a sum over it is a digest of the set.
        let tally = &mut self.tallies[purpose as usize];
        *tally = tally.wrapping_add(u64::from(block[3]) << 32 | u64::from(block[2]));
        draw
    }

    /// A digest of the set of draws made so far for `purpose`, whatever their order.
    #[must_use]
    pub fn tally(&self, purpose: Purpose) -> u64 {
        self.tallies[purpose as usize]
    }
}

/// A sequential ChaCha8 stream of the master seed, for what is not per request: fault plans,
/// bootstraps. Stream 0 belongs to [`Draws`].
#[must_use]
pub fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// A stable 64-bit key of `part` inside `whole`: how work is named (request, attempt, message).
///
/// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA'14) over the sum of both.
#[must_use]
pub const fn key_of(whole: u64, part: u64) -> u64 {
    let mut z = whole.wrapping_add(part.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stable 32-bit id of a name, so that adding a node moves no draw of another. FNV-1a.
#[must_use]
pub const fn name_id(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash: u32 = 0x811C_9DC5;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    hash
}

/// The keys of the ten rounds: the same for every block of a run.
type RoundKeys = [[u32; 2]; 10];

const fn round_keys(key: [u32; 2]) -> RoundKeys {
    let mut keys = [key; 10];
    let mut round = 1;
    while round < keys.len() {
        let [first, second] = keys[round - 1];
        keys[round] = [first.wrapping_add(0x9E37_79B9), second.wrapping_add(0xBB67_AE85)];
        round += 1;
    }
    keys
}

/// One block of Philox4x32 with ten rounds.
fn philox4x32(mut counter: [u32; 4], keys: &RoundKeys) -> [u32; 4] {
    for key in keys {
        let first = u64::from(counter[0]) * 0xD251_1F53;
        let second = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with Random123 (`kat_vectors`, philox4x32-10).
    #[test]
    fn philox_matches_published_vectors() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, &round_keys(key)), expected);
        }
    }

    #[test]
    fn probabilities_are_exact_at_the_ends_and_monotone() {
        assert!(!Probability::new(0.0).happens(Draw(0)));
        assert!(Probability::new(1.0).happens(Draw(u64::MAX)));
        let draw = Draw(1 << 63);
        assert!(!Probability::new(0.5).happens(draw));
        assert!(Probability::new(0.500_001).happens(draw));
        assert_eq!(Probability::new(0.5).or(Probability::new(0.5)), Probability::new(0.75));
        assert_eq!(Probability::new(1.0).or(Probability::new(1.0)), Probability::new(1.0));
    }

    #[test]
    fn a_recorded_unit_comes_back() {
        for unit in [0.0, 0.25, 0.539_227, 0.999_999] {
            assert!((Draw::from_unit(unit).unit() - unit).abs() < 1e-15);
        }
    }

    #[test]
    fn units_stay_inside_their_interval() {
        assert_eq!(Draw(0).unit(), 0.0);
        assert!(Draw(u64::MAX).unit() < 1.0);
        assert!(Draw(0).unit_open_zero() > 0.0);
        assert_eq!(Draw(u64::MAX).unit_open_zero(), 1.0);
        assert_eq!(Draw(u64::MAX).below(7), 6);
    }
}
