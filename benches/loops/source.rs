//! Random numbers of the loops written by hand: fast sequential streams, one for each purpose.

/// A stream of xoshiro256++ (Blackman, Vigna: "Scrambled linear pseudorandom number generators",
/// ACM TOMS 2021).
pub(crate) struct Source([u64; 4]);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Source {
    /// Stream number `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Source {
        let mut z = mix(seed ^ stream.wrapping_mul(0xD134_2543_DE82_EF95));
        Source([0; 4].map(|_: u64| {
            z = z.wrapping_add(GOLDEN);
            mix(z)
        }))
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(((self.next() >> 11) + 1) as f64 / 9_007_199_254_740_992.0).ln()
    }

    /// An exponential span of this mean, in nanoseconds.
    pub(crate) fn span(&mut self, mean: f64) -> u64 {
        (mean * self.exponential()) as u64
    }

    /// Standard normal (Box and Muller, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The finaliser of SplitMix64, one step on.
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
