//! Twins: two runs of one seed, one with a cause and one without it, and what differs between them.
//!
//! Every draw is named by what it is for, so until the cause acts both runs are the same, and
//! whatever differs afterwards differs because of it. What is compared are facts: what became of
//! each request ([`Fates`]) and each call ([`Calls`]), and what each node did and when ([`Trail`]).
//! A user is the same in both runs by its number among its clients
//! ([`Came`](crate::system::fact::Came)), also where a spike or a slow closed loop lets it come at
//! another time.

mod calls;
mod fates;
mod harm;
mod trail;

pub use calls::{Calling, Calls};
pub use fates::{Asking, Fate, Fates};
pub use harm::{Harm, Rule, Way, compare};
pub use trail::{Reached, Trail};
