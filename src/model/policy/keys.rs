//! Tables whose keys may all be left out: what is missing is that of the preset, or the default.

use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Count;

/// Declares a table of the language in which every key may be left out.
macro_rules! table {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$of_key:meta])* pub $key:ident: $kind:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$of_key])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $key: Option<$kind>,
            )*
        }

        impl $crate::model::policy::keys::Table for $name {
            fn over(self, base: $name) -> $name {
                $name { $($key: self.$key.or(base.$key),)* }
            }

            fn written(&self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(if self.$key.is_some() {
                    keys.push(stringify!($key));
                })*
                keys
            }
        }
    };
}

pub(super) use table;

/// A table of the language in which every key may be left out.
pub(super) trait Table: Sized {
    /// The keys of this table, and those of `base` that this one leaves out.
    fn over(self, base: Self) -> Self;

    /// The keys that are given.
    fn written(&self) -> Vec<&'static str>;

    /// Refuses keys that mean nothing for `what`.
    fn only(&self, what: &str, allowed: &[&[&str]]) -> Result<(), Problem> {
        let is_allowed = |key: &&str| allowed.iter().any(|keys| keys.contains(key));
        match self.written().into_iter().find(|key| !is_allowed(key)) {
            None => Ok(()),
            Some(key) => Err(Problem::new(format!("`{key}` means nothing for {what}"))
                .expected(format!("of: {}", allowed.concat().join(", ")))
                .inside(key)),
        }
    }
}

/// A value that must be there.
pub(super) fn needed<T>(value: Option<T>, key: &'static str) -> Result<T, Problem> {
    value.ok_or_else(|| {
        Problem::new(format!("`{key}` is missing")).expected(format!("`{key}` must be given here"))
    })
}

/// A number within bounds.
pub(super) fn within(
    key: &'static str,
    value: Option<f64>,
    least: f64,
    most: f64,
) -> Result<f64, Problem> {
    let number = needed(value, key)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Problem::new(format!("`{key}` cannot be {number}"))
        .expected(format!("a number from {least} to {most:e}"))
        .inside(key))
}

/// A whole number of at least `least`.
pub(super) fn at_least(key: &'static str, value: Option<u32>, least: u32) -> Result<u32, Problem> {
    let number = needed(value, key)?;
    if number >= least {
        return Ok(number);
    }
    Err(Problem::new(format!("`{key}` cannot be {number}"))
        .expected(format!("at least {least}"))
        .inside(key))
}

/// A length of time that is not zero.
pub(super) fn lasting(key: &'static str, value: Option<Span>) -> Result<Span, Problem> {
    let span = needed(value, key)?;
    if span > Span::ZERO {
        return Ok(span);
    }
    Err(Problem::new(format!("`{key}` cannot be 0s")).expected("more than 0s").inside(key))
}

/// A count as it is written.
pub(super) fn count_text(limit: u32) -> Count {
    if limit == u32::MAX { Count::Unlimited } else { Count::Limited(limit) }
}
