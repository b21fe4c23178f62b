//! The calls that have not come to their end, and what it takes to close one: the word of its
//! policy that it holds nothing any more.

use super::call::Call;
use super::policies::Ended;
use crate::kernel::slab::{Handle, Slab};

/// Every open call. There is no way to take one out without [`Ended`].
#[derive(Clone, Debug, Default)]
pub(super) struct OpenCalls(Slab<Call>);

impl OpenCalls {
    pub(super) fn open(&mut self, call: Call) -> Handle {
        self.0.insert(call)
    }

    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Call> {
        self.0.get(handle)
    }

    /// A call that is open.
    ///
    /// # Panics
    /// If it has been closed.
    #[inline]
    #[track_caller]
    pub(super) fn at(&self, handle: Handle) -> &Call {
        self.0.get(handle).expect("an open call has not been closed")
    }

    /// The same, to change it.
    ///
    /// # Panics
    /// If it has been closed.
    #[inline]
    #[track_caller]
    pub(super) fn at_mut(&mut self, handle: Handle) -> &mut Call {
        self.0.get_mut(handle).expect("an open call has not been closed")
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Call> {
        self.0.get_mut(handle)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Call)> {
        self.0.iter()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes a call out that its policy knows has ended.
    ///
    /// # Panics
    /// If it has been closed before.
    #[inline]
    pub(super) fn close(&mut self, handle: Handle, _: Ended) -> Call {
        let call = *self.at(handle);
        self.0.discard(handle);
        call
    }
}
