//! Policies as random processes: independence of draws and scopes, and the closed forms they obey.
//!
//! Every seed is fixed, so a test that passes once always passes. The stated probability is that of
//! a failure under another seed, if the policy is right.

mod independence;
mod leaks;
mod truths;
