//! A batch that is published by several requests at once: which events may be sent now, and which
//! have to wait for those before them.
//!
//! Events with one ordering key are a line. Only the first event of a line that is not published
//! may be sent, with those behind it in the same request if there is room: so a later one never
//! overtakes an earlier one, whatever becomes of the requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The events of a batch, by their rows in the outbox.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// For each ordering key the rows that no request carries yet, oldest first.
    lines: BTreeMap<u64, VecDeque<u64>>,
    /// Rows that may be sent now, with their keys: the first of each line of which no request
    /// carries any.
    ready: BTreeSet<(u64, u64)>,
    /// What each request carries, by its number: rows and their keys.
    in_flight: BTreeMap<u32, Vec<(u64, u64)>>,
    /// How many requests there were.
    requests: u32,
    /// Rows that were published.
    published: Vec<u64>,
    /// Whether a request has failed.
    has_failed: bool,
}

impl Window {
    /// A batch of rows in the order of commits, each with its ordering key.
    pub(super) fn new(rows: impl Iterator<Item = (u64, u64)>) -> Window {
        let mut window = Window::default();
        for (row, key) in rows {
            window.lines.entry(key).or_default().push_back(row);
        }
        let first = |(&key, line): (&u64, &VecDeque<u64>)| Some((*line.front()?, key));
        window.ready = window.lines.iter().filter_map(first).collect();
        window
    }

    /// How many requests are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether a request has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The number of the next request and its rows, at most so many; `None` if nothing may be sent
    /// now.
    pub(super) fn next_request(&mut self, most: usize) -> Option<(u32, Vec<u64>)> {
        let mut carried: Vec<(u64, u64)> = Vec::new();
        while carried.len() < most
            && let Some((row, key)) = self.ready.pop_first()
        {
            carried.push((row, key));
            if let Some(line) = self.lines.get_mut(&key) {
                line.pop_front();
                // The next one of its line may go along, and only so.
                self.ready.extend(line.front().map(|&next| (next, key)));
            }
        }
        if carried.is_empty() {
            return None;
        }
        for &(_, key) in &carried {
            if let Some(&next) = self.lines.get(&key).and_then(VecDeque::front) {
                self.ready.remove(&(next, key));
            }
        }
        let number = self.requests;
        self.requests += 1;
        let rows = carried.iter().map(|&(row, _)| row).collect();
        self.in_flight.insert(number, carried);
        Some((number, rows))
    }

    /// A request has ended: its rows are published, or none of them is known to be. The next ones
    /// of their lines may be sent then.
    pub(super) fn land(&mut self, number: u32, is_published: bool) {
        let Some(carried) = self.in_flight.remove(&number) else { return };
        self.has_failed |= !is_published;
        for (row, key) in carried {
            if is_published {
                self.published.push(row);
            }
            let line = self.lines.get(&key);
            self.ready.extend(line.and_then(|line| line.front()).map(|&next| (next, key)));
        }
    }

    /// The rows that no request carries yet and those that requests under way carry.
    pub(super) fn unpublished(&self) -> Vec<u64> {
        let waiting = self.lines.values().flatten().copied();
        let carried = self.in_flight.values().flatten().map(|&(row, _)| row);
        waiting.chain(carried).collect()
    }

    /// The rows that were published, in the order of commits.
    pub(super) fn into_published(mut self) -> Vec<u64> {
        self.published.sort_unstable();
        self.published
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::draw::{Draws, Purpose};

    #[test]
    fn requests_carry_what_may_be_sent_and_the_rest_of_a_line_waits() {
        let rows = [(0, 7), (1, 7), (2, 8), (3, 7), (4, 9)];
        let mut window = Window::new(rows.into_iter());
        assert_eq!(window.next_request(1), Some((0, vec![0])));
        assert_eq!(window.next_request(1), Some((1, vec![2])), "row 1 waits for row 0");
        assert_eq!(window.next_request(9), Some((2, vec![4])));
        assert_eq!(window.next_request(9), None);
        window.land(1, true);
        assert_eq!(window.next_request(9), None, "nothing else of that line");
        window.land(0, true);
        assert_eq!(window.next_request(9), Some((3, vec![1, 3])), "a line may go in one request");
        window.land(3, false);
        window.land(2, true);
        assert!(window.has_failed() && window.in_flight() == 0);
        assert_eq!(window.into_published(), [0, 2, 4]);
    }

    /// Requests of any size and number that end in any order: no event is ever under way beside an
    /// earlier one of its line in another request, and each is published once.
    #[test]
    fn no_event_overtakes_an_earlier_one_of_its_line() {
        for seed in 0..200 {
            let mut draws = Draws::new(seed);
            let mut below =
                |step: u64, most: u64| draws.draw(Purpose::Fault, 0, step, 0).below(most);
            let keys: Vec<u64> = (0..60).map(|row| below(row, 1 + seed % 9)).collect();
            let mut window = Window::new((0..60).zip(keys.iter().copied()));
            let mut under_way: Vec<(u32, Vec<u64>)> = Vec::new();
            let mut landed: Vec<u64> = Vec::new();
            for step in 100.. {
                let most = 1 + below(step, 4) as usize;
                match window.next_request(most) {
                    Some(request) if under_way.len() < 5 => under_way.push(request),
                    None if under_way.is_empty() => break,
                    started => {
                        under_way.extend(started);
                        let index = below(step + 10_000, under_way.len() as u64) as usize;
                        let (number, rows) = under_way.swap_remove(index);
                        window.land(number, true);
                        landed.extend(rows);
                    }
                }
                for (number, rows) in &under_way {
                    let others = under_way.iter().filter(|(other, _)| other != number);
                    let mut others = others.flat_map(|(_, rows)| rows);
                    let mine = |other: &u64| keys[*other as usize] == keys[rows[0] as usize];
                    assert!(rows.is_sorted() && !others.any(mine), "seed {seed}: {under_way:?}");
                }
            }
            for key in 0..9 {
                let line = landed.iter().filter(|&&row| keys[row as usize] == key);
                assert!(line.is_sorted(), "seed {seed}: {landed:?}");
            }
            assert_eq!(window.into_published(), (0..60).collect::<Vec<u64>>());
        }
    }
}
