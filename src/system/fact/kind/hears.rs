//! Which kinds of facts somebody is told, as a part of its type.

use super::{FactKind, KINDS};

/// Some kinds of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactKinds(u128);

impl FactKinds {
    /// None.
    pub const NONE: FactKinds = FactKinds(0);
    /// Every kind.
    pub const ALL: FactKinds = FactKinds((1 << KINDS) - 1);

    /// These.
    #[must_use]
    pub const fn of(kinds: &[FactKind]) -> FactKinds {
        let (mut set, mut place) = (0, 0);
        while place < kinds.len() {
            set |= 1 << kinds[place] as u32;
            place += 1;
        }
        FactKinds(set)
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, others: FactKinds) -> FactKinds {
        FactKinds(self.0 | others.0)
    }

    /// Whether a kind is one of them.
    #[must_use]
    #[inline]
    pub const fn has(self, kind: FactKind) -> bool {
        self.0 >> kind as u32 & 1 == 1
    }

    /// Whether all of these others are among them.
    #[must_use]
    pub(crate) const fn hold(self, others: FactKinds) -> bool {
        self.0 & others.0 == others.0
    }
}

/// Somebody who is told facts of some kinds and of no others. The macro `hears!` says
/// which.
pub(crate) trait Hears {
    /// The kinds.
    const HEARS: FactKinds;

    /// Holds, when the program is built, that a whole which passes its facts on to this part is
    /// told all that the part is to hear.
    fn is_part_of<Whole: Hears>() {
        const { assert!(Whole::HEARS.hold(Self::HEARS), "a part hears more than its whole") }
    }
}

/// Says which kinds of facts a machine hears: `hears!(Machine: Committed, Flushed)`, and of which
/// parts it has that hear on their own: `hears!(Machine: Committed; DurableRows)`.
///
/// The variants of these kinds, and of no others, are then names in the file: a machine that looks
/// for another one does not compile, and a kind that it does not look for is an unused import.
macro_rules! hears {
    ($machine:ty: $($kind:ident),+ $(; $($part:ty),+)?) => {
        use $crate::system::fact::Fact::{$($kind),+};
        hears!(@ $machine: [$($kind),+] $($($part),+)?);
    };
    ($machine:ty: ; $($part:ty),+) => {
        hears!(@ $machine: [] $($part),+);
    };
    (@ $machine:ty: [$($kind:ident),*] $($part:ty),*) => {
        const _: () = {
            use $crate::system::fact::kind;
            impl kind::Hears for $machine {
                const HEARS: kind::FactKinds = kind::FactKinds::of(&[$(kind::FactKind::$kind),*])
                    $(.and(<$part as kind::Hears>::HEARS))*;
            }
        };
    };
}

pub(crate) use hears;
