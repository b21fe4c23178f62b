//! Delta debugging: the smallest part of a list that still shows a failure.
//!
//! Zeller, Hildebrandt: "Simplifying and isolating failure-inducing input", IEEE Transactions on
//! Software Engineering 28(2), 2002, section 3.2, figure 4 (`ddmin`).

/// A part of `items`, in their order, under which `fails` still holds and of which no single one
/// can be left out, if `fails` keeps its answers. `fails` must hold for all of them.
pub(super) fn ddmin<T: Clone>(items: &[T], mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut items = items.to_vec();
    if items.is_empty() || fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while items.len() >= 2 {
        let bounds: Vec<(usize, usize)> = (0..parts)
            .map(|part| (part * items.len() / parts, (part + 1) * items.len() / parts))
            .collect();
        let subset = bounds.iter().find(|&&(from, to)| fails(&items[from..to]));
        if let Some(&(from, to)) = subset {
            items = items[from..to].to_vec();
            parts = 2;
            continue;
        }
        let without = |&(from, to): &(usize, usize)| [&items[..from], &items[to..]].concat();
        // Of two parts each is what the other leaves.
        let complement = bounds.iter().filter(|_| parts > 2).map(without).find(|rest| fails(rest));
        if let Some(rest) = complement {
            items = rest;
            parts = (parts - 1).max(2);
        } else if parts < items.len() {
            parts = (parts * 2).min(items.len());
        } else {
            break;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_needs_each_of_its_parts() {
        let items: Vec<u32> = (0..100).collect();
        for wanted in [vec![], vec![0], vec![99], vec![3, 4], vec![1, 50, 98], vec![7, 8, 9, 60]] {
            let mut tests = 0;
            let left = ddmin(&items, |part| {
                tests += 1;
                wanted.iter().all(|item| part.contains(item))
            });
            assert_eq!(left, wanted);
            assert!(tests < 200, "{tests} tests for {wanted:?}");
        }
    }

    #[test]
    fn a_failure_that_depends_on_either_of_two_keeps_one() {
        let left = ddmin(&[1, 2, 3, 4], |part| part.contains(&2) || part.contains(&3));
        assert_eq!(left.len(), 1);
    }
}
