//! A slab: values in reusable slots, found by handles that know when their value is gone.

/// The place of a value in a [`Slab`]. A handle to a removed value finds nothing, even after its
/// slot is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle {
    slot: u32,
    generation: u32,
}

impl Handle {
    /// A handle that finds nothing in any slab.
    pub const NONE: Handle = Handle { slot: u32::MAX, generation: u32::MAX };
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Values of one type in reusable slots.
///
/// A slot number depends on history: it must never reach a digest or a result.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// How many values the slab holds.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether the slab holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores a value and returns its handle.
    #[inline]
    pub fn insert(&mut self, value: T) -> Handle {
        if let Some(slot) = self.free.pop() {
            let place = &mut self.slots[slot as usize];
            place.value = Some(value);
            return Handle { slot, generation: place.generation };
        }
        self.slots.push(Slot { generation: 0, value: Some(value) });
        Handle { slot: (self.slots.len() - 1) as u32, generation: 0 }
    }

    /// The value of a handle, if it is still there.
    #[inline]
    #[must_use]
    pub fn get(&self, handle: Handle) -> Option<&T> {
        let place = self.slots.get(handle.slot as usize)?;
        if place.generation == handle.generation { place.value.as_ref() } else { None }
    }

    /// The value of a handle for change, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        let place = self.slots.get_mut(handle.slot as usize)?;
        if place.generation == handle.generation { place.value.as_mut() } else { None }
    }

    /// Takes the value of a handle out, if it is still there.
    #[inline]
    pub fn remove(&mut self, handle: Handle) -> Option<T> {
        // Taken out as it is returned: a large value is copied once.
        self.free(handle)?.take()
    }

    /// Lets go of the value of a handle where it is; says whether it was still there.
    #[inline]
    pub fn discard(&mut self, handle: Handle) -> bool {
        self.free(handle).is_some_and(|value| {
            *value = None;
            true
        })
    }

    /// Lets the slot of a handle be used again; what is in it is to be taken out.
    #[inline]
    fn free(&mut self, handle: Handle) -> Option<&mut Option<T>> {
        let place = self.slots.get_mut(handle.slot as usize)?;
        // The generation of a free slot is that of no handle yet.
        if place.generation != handle.generation {
            return None;
        }
        place.generation = place.generation.wrapping_add(1);
        self.free.push(handle.slot);
        Some(&mut place.value)
    }

    /// Every value with its handle, in slot order.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, place)| {
            let handle = Handle { slot: slot as u32, generation: place.generation };
            place.value.as_ref().map(|value| (handle, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_handle_finds_nothing() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(first.slot, second.slot);
        assert_eq!(slab.get(first), None);
        assert_eq!((slab.remove(first), slab.discard(first)), (None, false));
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.get(Handle::NONE), None);
        assert_eq!((slab.len(), slab.is_empty()), (1, false));
        assert!(slab.discard(second) && slab.is_empty() && slab.get(second).is_none());
    }
}
